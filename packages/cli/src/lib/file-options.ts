import type { Command } from "commander";

/** The options that say which configuration is meant. */
export const fileOptions = (command: Command): Command =>
  command
    .option("--hypervisor <file...>", "hypervisor configuration, then the overlays on it")
    .option("--lxc <file...>", "container configuration, then the overlays on it")
    .option("--stack <name>", "the files that Pulumi.<name>.yaml names");
