/** The node's command line: `pct`, `pvesm`, `pvesh`, `pveum`, `pveam`, `pveversion`, `qm` by the first argument. */
import { hostname } from "node:os";
import { UsageError } from "./getopt.ts";

export interface Command {
  /** Name of the node in API paths. */
  readonly node: string;
  readonly args: readonly string[];
  readonly print: (text: string) => void;
}

async function run(name: string, command: Command): Promise<void> {
  switch (name) {
    case "pct":
      return (await import("./pct.ts")).pct(command);
    case "pvesm":
      return (await import("./pvesm.ts")).pvesm(command);
    case "pvesh":
      return (await import("./pvesh.ts")).pvesh(command);
    case "pveum":
      return (await import("./pveum.ts")).pveum(command);
    case "pveam":
      return (await import("./pveam.ts")).pveam(command);
    case "qm":
      return (await import("./qm.ts")).qm(command);
    case "pveversion":
      return (await import("./pveversion.ts")).pveversion(command);
    default:
      throw new UsageError(`unknown command '${name}'`);
  }
}

const [name = "", ...args] = process.argv.slice(2);
run(name, {
  node: hostname().split(".")[0] ?? "pve",
  args,
  print: (text) => void process.stdout.write(text),
}).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  // A missing configuration file ends PVE's tools with errno ENOENT, everything else with 255.
  process.exitCode = /^Configuration file '.*' does not exist$/.test(message) ? 2 : 255;
});
