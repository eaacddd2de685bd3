import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { parse } from "yaml";
import type { Model } from "../../../../model/index.ts";
import { root } from "../lib/checkout.ts";
import type { FileOptions } from "../lib/configuration.ts";
import { chosenModel, containerOf } from "../lib/configuration.ts";
import { pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import { Failure } from "../lib/failure.ts";
import { fileOptions } from "../lib/file-options.ts";

export const verb = () =>
  fileOptions(new Command("urns"))
    .description(
      "prints, one a line, the URN patterns for pulumi's --target: the host, or containers with all they need",
    )
    .argument("[ctids...]", "containers or templates")
    .option("--setup-hypervisor", "the host alone")
    .action(async (ctids: string[], options: FileOptions & { setupHypervisor?: boolean }) => {
      if (ctids.length === 0 && !options.setupHypervisor) {
        throw new Failure("name a CTID, or --setup-hypervisor.", { code: 2 });
      }
      const stack = options.stack ?? (await currentStack());
      const model = chosenModel({ ...options, ...(stack === undefined ? {} : { stack }) });
      process.stdout.write(`${targetsOf(model, ctids).join("\n")}\n`);
    });

async function currentStack(): Promise<string | undefined> {
  try {
    return await selectedStack(await pulumiEnvironment(), []);
  } catch {
    return undefined; // nothing selected: the base files say enough about who needs whom
  }
}

/** Patterns for --target (`*` within a part, `**` across): the host, the scripts, and the containers with their chain. */
export function targetsOf(model: Model, ctids: readonly string[]): string[] {
  const { name } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { name: string };
  const all = new Map([...model.templates, ...model.containers].map((spec) => [spec.vmid, spec]));
  const wanted = new Set<number>();
  const visit = (vmid: number): void => {
    const spec = all.get(vmid);
    if (!spec || wanted.has(vmid)) return;
    if (spec.source.kind === "clone") visit(spec.source.vmid);
    for (const dependency of spec.dependencies) visit(dependency);
    wanted.add(vmid);
  };
  for (const ctid of ctids) visit(containerOf(model, ctid).vmid);
  const start = `urn:pulumi:*::${name}::`;
  return [
    `${start}pulumi:providers:*::*`,
    `${start}phoenix:NodeScripts**`,
    `${start}phoenix:hypervisor:Hypervisor**`,
    ...[...wanted].flatMap((vmid) => [
      `${start}phoenix:lxc:**::${vmid}`,
      `${start}phoenix:lxc:**::${vmid}-*`,
    ]),
  ];
}
