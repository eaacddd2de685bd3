/** Ansible with community.proxmox from PyPI, in a folder of its own, playing one part of `ansible-life.yml`. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CORE = "ansible-core==2.19.14";
/** The distribution that carries the collection; of its 500 MB only that is unpacked. */
const DISTRIBUTION = "ansible==12.3.0";
const COLLECTION = "ansible_collections/community/proxmox";
const UNPACK = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [n for n in wheel.namelist() if n.startswith("${COLLECTION}/")])
`;

export interface Recap {
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
}

/** @param python folder of a virtual environment that has proxmoxer */
export async function installAnsible(room: string, python: string): Promise<void> {
  const pip = join(python, "bin/pip");
  const wheels = join(room, "wheels");
  await run(pip, ["install", "--quiet", CORE]);
  await run(pip, ["download", "--quiet", "--no-deps", "--dest", wheels, DISTRIBUTION]);
  const [wheel = ""] = readdirSync(wheels);
  await run(join(python, "bin/python"), ["-c", UNPACK, join(wheels, wheel), join(room, "collections")]);
}

export interface Play {
  readonly room: string;
  readonly python: string;
  /** The lab's node.json. */
  readonly facts: string;
  /** SHA-256 of the OS template. */
  readonly checksum: string;
}

/** Plays the tasks of one tag. @throws with Ansible's own output when a task fails */
export async function playAnsible({ room, python, facts, checksum }: Play, tag: string): Promise<Recap> {
  const { address, login } = JSON.parse(readFileSync(facts, "utf8")) as {
    address: string;
    login: { user: string; password: string };
  };
  const home = join(room, "ansible");
  mkdirSync(home, { recursive: true });
  const upload = join(home, "small.iso");
  writeFileSync(upload, "not really an image\n");
  const key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVVbqMOfn9QvjVz0kX6Rk0kmYj8vO2j0S4M3m3Vv4wK eve@example.org";
  const variables = { checksum, upload, seen: join(home, "seen.json"), public_key: key };
  const words = [
    join(import.meta.dirname, "ansible-life.yml"),
    ...["--tags", tag],
    ...["--extra-vars", JSON.stringify(variables)],
  ];
  const environment = {
    ...process.env,
    HOME: home,
    PATH: `${join(python, "bin")}:${process.env["PATH"] ?? ""}`,
    ANSIBLE_COLLECTIONS_PATH: join(room, "collections"),
    ANSIBLE_LOCALHOST_WARNING: "False",
    ANSIBLE_INVENTORY_UNPARSED_WARNING: "False",
    PROXMOX_HOST: address,
    PROXMOX_PORT: "8006",
    PROXMOX_USER: login.user,
    PROXMOX_PASSWORD: login.password,
  };
  const { stdout } = await run(join(python, "bin/ansible-playbook"), words, {
    env: environment,
    maxBuffer: 2 ** 24,
  }).catch((error: unknown) => {
    const text = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`ansible-playbook --tags ${tag} failed:\n${text}`, { cause: error });
  });
  const [, ok, changed, failed] =
    /ok=(\d+)\s+changed=(\d+)\s+unreachable=\d+\s+failed=(\d+)/.exec(stdout) ?? [];
  return { ok: Number(ok), changed: Number(changed), failed: Number(failed) };
}

/** What the playbook saw with the collection's information modules. */
export function ansibleSaw(room: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(room, "ansible/seen.json"), "utf8")) as Record<string, unknown>;
}
