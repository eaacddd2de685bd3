import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { Failure } from "./steps.ts";

/** Which lab this is and where its things lie. Everything follows from the state directory. */
export interface Lab {
  /** First eight hex digits of the SHA-256 of the checkout's real path, or of the state directory if that is given. */
  readonly id: string;
  /** Name of the LXC system container that is the node. */
  readonly container: string;
  readonly bridge: string;
  readonly state: string;
  readonly cache: string;
  readonly explicitState: boolean;
}

/** What a lab remembers between commands. */
export interface Memory {
  /** Third octet of the lab's network 10.213.x.0/24. */
  readonly octet: number;
  /** First of three ports on 127.0.0.1: API, SSH, published web port. */
  readonly port: number;
  readonly imageDigest: string;
  readonly password: string;
  readonly tokenSecret: string;
  readonly createdAt: string;
  readonly published: readonly Published[];
}

export interface Published {
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment["PHOENIX_CACHE"] !== undefined && environment["PHOENIX_CACHE"] !== "") {
    return path.resolve(environment["PHOENIX_CACHE"]);
  }
  const base = environment["XDG_CACHE_HOME"];
  return path.join(base !== undefined && base !== "" ? base : path.join(homedir(), ".cache"), "phoenix");
}

function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function real(directory: string): string {
  return existsSync(directory) ? realpathSync(directory) : path.resolve(directory);
}

/**
 * @param stateOption value of --state or PHOENIX_LAB_STATE; the lab's id then follows from that path
 * @param checkout the checkout whose lab is meant otherwise
 */
export function locateLab(stateOption: string | undefined, checkout: string): Lab {
  const explicitState = stateOption !== undefined && stateOption !== "";
  const state = explicitState ? real(stateOption) : path.join(real(checkout), ".phoenix", "lab");
  const id = shortDigest(explicitState ? state : real(checkout));
  return {
    id,
    container: `phoenix-lab-${id}`,
    bridge: `phx${id}`,
    state,
    cache: cacheDirectory(),
    explicitState,
  };
}

/** The default first port: 20000 to 31997, three per lab. */
export function defaultPort(id: string): number {
  return 20_000 + (Number.parseInt(id.slice(0, 7), 16) % 4000) * 3;
}

export const places = {
  memory: (lab: Lab) => path.join(lab.state, "lab.json"),
  nodeFacts: (lab: Lab) => path.join(lab.state, "node.json"),
  ssh: (lab: Lab) => path.join(lab.state, "ssh"),
  key: (lab: Lab) => path.join(lab.state, "ssh", "id_ed25519"),
  hostKey: (lab: Lab) => path.join(lab.state, "ssh", "host_ed25519"),
  knownHosts: (lab: Lab) => path.join(lab.state, "ssh", "known_hosts"),
  lxc: (lab: Lab) => path.join(lab.state, "lxc"),
  config: (lab: Lab) => path.join(lab.state, "lxc", lab.container, "config"),
  root: (lab: Lab) => path.join(lab.state, "root"),
  upper: (lab: Lab) => path.join(lab.state, "root", "upper"),
  /** What the lab wrote last into files that belong to the node's owner. */
  written: (lab: Lab) => path.join(lab.state, "root", "written.json"),
  hardware: (lab: Lab) => path.join(lab.state, "hardware.json"),
  disks: (lab: Lab) => path.join(lab.state, "disks"),
  programs: (lab: Lab) => path.join(lab.state, "opt"),
  log: (lab: Lab) => path.join(lab.state, "log"),
};

export function readMemory(lab: Lab): Memory | undefined {
  try {
    return JSON.parse(readFileSync(places.memory(lab), "utf8")) as Memory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") return undefined;
    throw new Failure(`${lab.state} belongs to root`, "run it as root (sudo)");
  }
}

export function writeMemory(lab: Lab, memory: Memory): void {
  mkdirSync(lab.state, { recursive: true });
  writeWhole(places.memory(lab), `${JSON.stringify(memory, undefined, 2)}\n`, 0o600);
}

/** Writes a file so that a reader sees the old or the new one, never half of it. */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}

/** Addresses of a lab network. */
export function network(octet: number): { subnet: string; gateway: string; node: string } {
  return { subnet: `10.213.${octet}.0/24`, gateway: `10.213.${octet}.1`, node: `10.213.${octet}.2` };
}
