import { spawnSync } from "node:child_process";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Debian's own kmod under the name of one of its tools; it reads configuration and files, and loads nothing here. */
export function kmod(tool: string, args: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync("/bin/kmod", [...args], { argv0: tool, encoding: "utf8" });
  return { code: status ?? 255, stdout, stderr };
}

/** One field that the module file itself carries. */
export function moduleField(file: string, field: string): string {
  return kmod("modinfo", ["-F", field, file]).stdout.split("\n")[0]?.trim() ?? "";
}

/** What loading a module would do, in order, by modprobe's own reading of its configuration and dependencies. */
export type Step =
  { readonly kind: "insert"; readonly file: string } | { readonly kind: "run"; readonly command: string };

export interface Plan {
  readonly steps: readonly Step[];
  readonly code: number;
  readonly stderr: string;
}

/** @param flags `-b` (a blacklist counts for the name itself) and `-i` (install lines are ignored) */
export function planOf(release: string, flags: readonly string[], words: readonly string[]): Plan {
  const { code, stdout, stderr } = kmod("modprobe", ["-S", release, ...flags, "--show-depends", ...words]);
  const steps = stdout.split("\n").flatMap((line): Step[] => {
    const insert = /^insmod (\S+)/.exec(line)?.[1];
    if (insert !== undefined) return [{ kind: "insert", file: insert }];
    const command = /^install (.*)$/.exec(line)?.[1];
    return command === undefined ? [] : [{ kind: "run", command }];
  });
  return { steps, code, stderr };
}

function configuration(release: string): string[] {
  return kmod("modprobe", ["-S", release, "-c"]).stdout.split("\n");
}

/** The configured command that removes a module in place of modprobe, if there is one. */
export function removeCommand(release: string, name: string): string | undefined {
  const wanted = name.replaceAll("-", "_");
  for (const line of configuration(release)) {
    const match = /^remove (\S+) (.*)$/.exec(line);
    if (match?.[1]?.replaceAll("-", "_") === wanted) return match[2];
  }
  return undefined;
}

/** Whether the configuration keeps a module from being loaded for a device that appears. */
export function isBlacklisted(release: string, name: string): boolean {
  return configuration(release).some(
    (line) => line === `blacklist ${name}` || line.startsWith(`install ${name} `),
  );
}
