import { setTimeout as sleep } from "node:timers/promises";
import type { NodeFile } from "./checkout.ts";
import { chosenModel } from "./configuration.ts";
import { Failure } from "./failure.ts";
import { labPublish, labRun } from "./lab.ts";
import type { Progress } from "./progress.ts";

const patience = 30_000;

/** Publishes the first page that a container of the stack serves, and waits until it answers. */
export async function publishPage(node: NodeFile, stack: string): Promise<string | undefined> {
  for (const container of chosenModel({ stack }).containers) {
    const address = container.network[0]?.address?.split("/")[0];
    const port = container.features.find(({ name }) => name === "serve_page")?.parameters["port"];
    if (address === undefined || typeof port !== "number") continue;
    await labPublish(port, `${address}:${port}`);
    const page = port === 80 ? `http://${node.address}/` : `http://${node.address}:${port}/`;
    await answers(page);
    return page;
  }
  return undefined;
}

async function answers(page: string): Promise<void> {
  const deadline = Date.now() + patience;
  let last = "";
  while (Date.now() < deadline) {
    try {
      const response = await fetch(page, { signal: AbortSignal.timeout(5_000) });
      if (response.ok) return;
      last = `HTTP ${response.status}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(500);
  }
  throw new Failure(`${page} does not answer: ${last}`, { next: "bin/phoenix drift" });
}

/** What exists now, and what to type next. */
export async function closing(
  progress: Progress,
  { node, stack, page, time }: { node: NodeFile; stack: string; page: string | undefined; time: string },
): Promise<void> {
  const listed = await labRun(["pct", "list"]);
  const guests = listed.stdout.trimEnd().split("\n");
  const model = chosenModel({ stack });
  const addresses = new Map(
    model.containers.map(({ vmid, network }) => [String(vmid), network[0]?.address ?? ""]),
  );
  const rows = guests.map((line, index) => {
    const address =
      index === 0 ? "Address" : (addresses.get(line.trim().split(/\s+/)[0] ?? "") ?? "(template)");
    return `  ${line.trimEnd().padEnd(52)} ${address}`;
  });
  const first = model.containers[0]?.vmid ?? "CTID";
  const commands: [string, string][] = [
    ...(page === undefined ? [] : [[`curl ${page}`, "what the container serves"] satisfies [string, string]]),
    [`bin/phoenix lab ssh pct exec ${first} -- docker info`, "look inside"],
    ['eval "$(bin/phoenix env)" && pulumi stack', "plain Pulumi on what is there"],
    ["bin/phoenix preview", "after an edit in etc/: exactly what would change"],
    ["bin/phoenix drift", "is the node still as configured?"],
    ["bin/phoenix lab down", "take all of it away"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  progress.say(
    [
      "",
      `All of this stands on node ${node.name} (${node.endpoint}), after ${time}:`,
      ...rows,
      "",
      ...commands.map(([command, why]) => `  ${command.padEnd(width)}  ${why}`),
    ].join("\n"),
  );
}
