import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Lab } from "./lab.ts";
import { places } from "./lab.ts";
import { Failure } from "./steps.ts";

const source = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Programs that run inside the node: file name there, entry in this package. */
const programs: Readonly<Record<string, string>> = {
  server: "api/main.ts",
  commands: "commands/main.ts",
  "guest-hook": "guests/hook.ts",
  hardware: "hardware/main.ts",
  zfs: "image/zfs/main.ts",
  "template-server": "image/template-server.ts",
};

async function bundle(target: string, name: string, entry: string): Promise<void> {
  try {
    await build({
      entryPoints: { [name]: path.join(source, entry) },
      outdir: target,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      logLevel: "silent",
      legalComments: "none",
      banner: {
        js: 'import { createRequire as labCreateRequire } from "node:module"; const require = labCreateRequire(import.meta.url);',
      },
    });
  } catch (error) {
    throw new Failure(`${entry} cannot be bundled: ${(error as Error).message}`);
  }
}

/** Bundles each program into one file, so that the node depends on nothing of the checkout at run time. */
export async function bundlePrograms(lab: Lab): Promise<void> {
  const target = places.programs(lab);
  mkdirSync(target, { recursive: true });
  const entries = Object.entries(programs).filter(([, entry]) => existsSync(path.join(source, entry)));
  await Promise.all(entries.map(([name, entry]) => bundle(target, name, entry)));
}

/** Puts this very Node binary into the node: a hard link where possible, else a copy. */
export function placeNode(lab: Lab): void {
  const target = path.join(places.programs(lab), "node");
  const own = statSync(process.execPath);
  if (existsSync(target) && statSync(target).size === own.size && statSync(target).mtimeMs === own.mtimeMs)
    return;
  mkdirSync(path.dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  rmSync(temporary, { force: true });
  try {
    linkSync(process.execPath, temporary);
  } catch {
    copyFileSync(process.execPath, temporary);
  }
  renameSync(temporary, target);
}

export function hasProgram(lab: Lab, name: string): boolean {
  return existsSync(path.join(places.programs(lab), `${name}.mjs`));
}

export function readSource(relative: string): string {
  return readFileSync(path.join(source, relative), "utf8");
}
