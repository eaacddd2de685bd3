import { existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { imageAt } from "../image/build.ts";
import type { Recipe } from "../image/recipe.ts";
import { forwardedPorts, ruleComment, savedRules } from "./firewall.ts";
import type { Lab } from "./lab.ts";
import { defaultPort, readMemory } from "./lab.ts";
import { machineRecipe } from "./machine-apt.ts";
import { missingPackages, recordedPackages, removalHint } from "./packages.ts";
import { attempt } from "./run.ts";
import { Failure } from "./steps.ts";

/** A missing prerequisite: one clear line each, and what to do. */
export interface Problem {
  readonly what: string;
  readonly remedy: string;
}

export interface Preflight {
  readonly problems: readonly Problem[];
  /** What `up` would change on this machine, one line each. */
  readonly changes: readonly string[];
  readonly undo: readonly string[];
  readonly packages: readonly string[];
  readonly port: number;
  readonly imageMissing: boolean;
}

const gibibyte = 1024 ** 3;
/** A node, its image, its template and what a few guests write. */
const diskWithImage = 6;
const diskWithoutImage = 3;

function freeGib(directory: string): number {
  let place = directory;
  while (!existsSync(place)) place = path.dirname(place);
  const stat = statfsSync(place);
  return (stat.bavail * stat.bsize) / gibibyte;
}

function kernelProblems(): Problem[] {
  const problems: Problem[] = [];
  const missing = ["mnt", "net", "pid", "ipc", "uts", "user", "cgroup"].filter(
    (name) => !existsSync(`/proc/self/ns/${name}`),
  );
  if (missing.length > 0) {
    problems.push({
      what: `the kernel has no ${missing.join(", ")} namespaces`,
      remedy: "use a kernel with LXC support",
    });
  }
  const systems = existsSync("/proc/filesystems") ? readFileSync("/proc/filesystems", "utf8") : "";
  const absent = ["overlay", "cgroup2", "ext4"].filter((name) => !systems.split(/\s+/).includes(name));
  // On a modular kernel these are loaded when first asked for.
  if (absent.length > 0 && !existsSync("/proc/modules")) {
    problems.push({
      what: `the kernel has no ${absent.join(", ")}`,
      remedy: "use a kernel with these file systems",
    });
  }
  const nodes = { "/dev/fuse": "FUSE", "/dev/net/tun": "TUN", "/dev/loop-control": "loop devices" };
  for (const [file, name] of Object.entries(nodes)) {
    if (existsSync(file)) continue;
    problems.push({
      what: `${file} is missing: no ${name} here`,
      remedy:
        "load the kernel's modules (modprobe fuse tun loop), or allow the device if this is itself a container",
    });
  }
  return problems;
}

async function networkProblem(): Promise<Problem[]> {
  const name = `phxtest${process.pid}`.slice(0, 15);
  const made = await attempt("ip", ["link", "add", name, "type", "bridge"]);
  await attempt("ip", ["link", "delete", name]);
  if (made.code === 0 || made.code === 127) return [];
  return [
    {
      what: `the kernel cannot make bridges (${made.stderr.trim()})`,
      remedy: "use a kernel with bridge and veth, or give this container the right to make interfaces",
    },
  ];
}

function portFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The process that listens on a port, as far as `ss` knows. */
async function portHolder(port: number): Promise<string | undefined> {
  const listing = await attempt("ss", ["-Hltnp", `sport = :${port}`]);
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(listing.stdout);
  return match === null ? undefined : `${match[1] ?? ""} (process ${match[2] ?? ""})`;
}

async function portProblems(lab: Lab, first: number): Promise<Problem[]> {
  const others = forwardedPorts(await savedRules());
  const purposes = ["API", "SSH", "published web port"];
  for (const [index, purpose] of purposes.entries()) {
    const port = first + index;
    const other = others.get(port);
    const foreign = other !== undefined && other !== ruleComment(lab.id);
    if (!foreign && (await portFree(port))) continue;
    const holder = foreign ? `the lab ${other}` : await portHolder(port);
    return [
      {
        what: `port ${port} on 127.0.0.1 (${purpose}) is taken${holder === undefined ? "" : ` by ${holder}`}`,
        remedy: "choose another first port: lab up --port N (N, N+1 and N+2 must be free)",
      },
    ];
  }
  return [];
}

async function aptProblems(packages: readonly string[]): Promise<Problem[]> {
  if (packages.length === 0) return [];
  const simulated = await attempt("apt-get", [
    "install",
    "--simulate",
    "--no-install-recommends",
    ...packages,
  ]);
  if (simulated.code === 0) return [];
  if (simulated.code === 127)
    return [{ what: "this machine has no apt-get", remedy: "use Debian 12 or a relative of it" }];
  const lists = await attempt("find", ["/var/lib/apt/lists", "-name", "*_Packages*", "-print", "-quit"]);
  // Without lists nothing can be simulated; `up` fetches them first.
  if (lists.stdout.trim() === "") return [];
  const error = simulated.stderr.split("\n").find((line) => line.startsWith("E:")) ?? "unknown";
  return [
    {
      what: `apt cannot install ${packages.join(" ")} (${error})`,
      remedy: "run `apt-get update` and look at what it says",
    },
  ];
}

/** Asks the mirror for its Release file, unless a proxy is in use: only apt knows how to go through that. */
async function mirrorProblems(recipe: Recipe): Promise<Problem[]> {
  if (recipe.aptOptions.some((option) => option.includes("Proxy")) || process.env["http_proxy"] !== undefined)
    return [];
  const uri = recipe.sources[0]?.split(" ")[1] ?? "";
  const remedy = "make `apt-get update` work on this machine first";
  try {
    const answer = await fetch(`${uri}/dists/bookworm/Release`, {
      method: "HEAD",
      signal: AbortSignal.timeout(10_000),
    });
    return answer.ok ? [] : [{ what: `the Debian mirror ${uri} answers ${answer.status}`, remedy }];
  } catch {
    return [{ what: `the Debian mirror ${uri} does not answer`, remedy }];
  }
}

/** Looks at everything that `up` needs; changes nothing. */
export async function preflight(lab: Lab, wantedPort: number | undefined): Promise<Preflight> {
  const problems: Problem[] = [];
  const root = process.getuid?.() === 0;
  const port = wantedPort ?? (root ? readMemory(lab)?.port : undefined) ?? defaultPort(lab.id);
  if (!root) {
    problems.push({
      what: "the lab needs root: it makes a container, a bridge and mounts",
      remedy: "run it as root (sudo)",
    });
  }
  if (process.arch !== "x64")
    problems.push({
      what: `the lab runs on x86-64 only, this is ${process.arch}`,
      remedy: "use another machine",
    });
  if (port < 1024 || port > 65_533) {
    problems.push({
      what: `${port} is no usable port`,
      remedy: "choose --port between 1024 and 65533",
    });
  }
  problems.push(...kernelProblems());
  const packages = missingPackages();
  let recipe: Recipe | undefined;
  try {
    recipe = await machineRecipe();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push({ what: error.message, remedy: error.hint ?? "" });
  }
  const image = recipe === undefined ? undefined : imageAt(lab.cache, recipe);
  const imageMissing = image === undefined || !existsSync(image.root) || !existsSync(image.template);
  for (const [place, need] of [
    [lab.state, diskWithoutImage],
    ...(imageMissing ? [[lab.cache, diskWithImage] as const] : []),
  ] as const) {
    const free = freeGib(place);
    if (free < need) {
      problems.push({
        what: `too little disk: ${place} has ${free.toFixed(1)} GiB free, the lab needs ${need} GiB`,
        remedy: "make room, or put the cache elsewhere with PHOENIX_CACHE=/big/disk",
      });
    }
  }
  if (problems.length === 0) {
    problems.push(
      ...(await networkProblem()),
      ...(await portProblems(lab, port)),
      ...(await aptProblems(packages)),
      ...(imageMissing && recipe !== undefined ? await mirrorProblems(recipe) : []),
    );
  }
  const changes = [
    ...(packages.length > 0
      ? [`packages by apt: ${packages.join(" ")} (their services are not started)`]
      : []),
    ...(imageMissing ? [`disk: about 0.6 GiB of images in ${lab.cache}, made once`] : []),
    `time: ${imageMissing ? "1 to 3 minutes the first time, then a few seconds" : "a few seconds"}`,
    `disk: up to ${diskWithoutImage} GiB in ${lab.state} (sparse disks grow with what guests write)`,
    `network: bridge ${lab.bridge} with a 10.213.x.0/24 network, NAT for it, IPv4 forwarding on`,
    "kernel: fs.inotify.max_user_instances as on Proxmox VE; it goes back with the last lab",
    `ports on 127.0.0.1: ${port} (API), ${port + 1} (SSH), ${port + 2} (published web port)`,
    `a container ${lab.container} in its own namespaces, with up to 128 loop devices`,
  ];
  const undo = [
    "`lab down` takes all of it away but packages and cache",
    ...removalHint([...new Set([...recordedPackages(lab.cache), ...packages])]),
    `cache: rm -r ${lab.cache}/lab-*`,
  ];
  return { problems, changes, undo, packages, port, imageMissing };
}
