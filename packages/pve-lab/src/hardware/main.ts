/**
 * The simulated edge of the node's kernel: `hardware boot|apply` brings up what the lab was told, the other words are
 * kmod's tools as the node's command line has them.
 */
import { bringUp } from "./boot.ts";
import { kmod } from "./kmod.ts";
import type { Said } from "./kmod.ts";
import { currentState, insert, insertFile, listing, remove, removeOne, ToolFailure } from "./modules.ts";

function pass({ code, stdout, stderr }: Said): void {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
}

interface Call {
  readonly flags: ReadonlySet<string>;
  readonly words: readonly string[];
}

const longNames: Readonly<Record<string, string>> = {
  "--remove": "-r",
  "--all": "-a",
  "--quiet": "-q",
  "--verbose": "-v",
  "--use-blacklist": "-b",
  "--ignore-install": "-i",
  "--ignore-remove": "-i",
  "--force": "-f",
  "--syslog": "-s",
};

/** Letters may stand together (`-rv`), as for the real tool. Anything unknown is left to that. */
function parseModprobe(args: readonly string[]): Call | undefined {
  const flags = new Set<string>();
  const words: string[] = [];
  for (const arg of args) {
    if (!arg.startsWith("-")) words.push(arg);
    else if (longNames[arg] !== undefined) flags.add(longNames[arg]);
    else if (/^-[raqvbifs]+$/.test(arg)) for (const letter of arg.slice(1)) flags.add(`-${letter}`);
    else return undefined;
  }
  return words.length === 0 ? undefined : { flags, words };
}

function modprobe(args: readonly string[]): void {
  const call = parseModprobe(args);
  const { release } = currentState();
  if (call === undefined) {
    const given = args.some((arg) => arg === "-S" || arg.startsWith("--set-version"));
    pass(kmod("modprobe", [...(given ? [] : ["-S", release]), ...args]));
    return;
  }
  const { flags, words } = call;
  try {
    if (flags.has("-r")) for (const word of words) remove(word, flags.has("-i"), flags.has("-q"));
    else {
      const passed = ["-b", "-i"].filter((flag) => flags.has(flag));
      // Without -a, what follows the name are the module's parameters.
      for (const group of flags.has("-a") ? words.map((word) => [word]) : [words])
        insert(passed, group, flags.has("-v"));
    }
  } catch (error) {
    if (flags.has("-q") && error instanceof ToolFailure) throw new ToolFailure("", error.code);
    throw error;
  }
}

function withRelease(tool: string, option: string, args: readonly string[]): void {
  const given = args.some((arg) => arg === "-k" || arg.startsWith("--set-version") || arg.startsWith("/"));
  pass(kmod(tool, [...(given ? [] : [option, currentState().release]), ...args]));
}

/** depmod takes the release as a plain word. */
function depmod(args: readonly string[]): void {
  const given = args.some((arg) => /^\d+\./.test(arg));
  pass(kmod("depmod", given ? args : [...args, currentState().release]));
}

const tools: Readonly<Record<string, (args: readonly string[]) => void>> = {
  boot: () => bringUp(true),
  apply: () => bringUp(false),
  modprobe,
  insmod: (args) => {
    const [file] = args.filter((arg) => !arg.startsWith("-"));
    if (file === undefined) throw new ToolFailure("insmod: ERROR: missing filename.");
    insertFile("insmod", file);
  },
  rmmod: (args) => {
    for (const word of args.filter((arg) => !arg.startsWith("-"))) removeOne(word);
  },
  lsmod: () => process.stdout.write(listing()),
  modinfo: (args) => withRelease("modinfo", "-k", args),
  depmod,
};

// nvidia-modprobe calls modprobe with hardly any environment.
process.env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const [name = "", ...args] = process.argv.slice(2);
try {
  const tool = tools[name];
  if (tool === undefined) throw new ToolFailure(`hardware: unknown word '${name}'`);
  tool(args);
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  if (text !== "") process.stderr.write(`${text}\n`);
  process.exitCode = error instanceof ToolFailure ? error.code : 1;
}
