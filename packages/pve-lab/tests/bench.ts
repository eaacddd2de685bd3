/**
 * How long the lab takes, as multiples of a bare `mmdebstrap` on the same machine at the same time: the seconds of a
 * busy machine say little, the multiples can be compared. Run it as root: `node packages/pve-lab/tests/bench.ts`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bootstrap } from "../src/image/bootstrap.ts";
import { machineRecipe } from "../src/machine/machine-apt.ts";

const entry = join(import.meta.dirname, "../src/main.ts");
const room = mkdtempSync("/var/tmp/phoenix-lab-bench-");
const environment = { ...process.env, PHOENIX_CACHE: join(room, "cache") };

function lab(...words: string[]): void {
  execFileSync(process.execPath, [entry, "--state", join(room, "state"), ...words], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

async function seconds(work: () => void | Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** Ends the node and waits until LXC says so; what a person sees who starts a stopped lab comes after it. */
function powerOff(): void {
  lab("ssh", "systemctl --no-block poweroff");
  for (let stopped = false; !stopped;) {
    try {
      lab("status");
      execFileSync("sleep", ["0.2"]);
    } catch {
      stopped = true;
    }
  }
}

const recipe = await machineRecipe();
const target = join(room, "bare.tar");
try {
  const unit = await seconds(() =>
    bootstrap({ recipe, packages: ["systemd-sysv"], target, hooks: [], say: () => undefined }),
  );
  const rows: [string, number][] = [["bare mmdebstrap", unit]];
  const measure = async (name: string, work: () => void): Promise<void> => {
    rows.push([name, await seconds(work)]);
  };
  await measure("from nothing to ready", () => lab("up"));
  await measure("up while it runs", () => lab("up"));
  powerOff();
  await measure("up of a stopped one", () => lab("up"));
  await measure("reset", () => lab("reset"));
  await measure("down", () => lab("down"));
  await measure("up with the image in the cache", () => lab("up"));
  for (const [name, time] of rows)
    process.stdout.write(
      `${name.padEnd(32)} ${time.toFixed(1).padStart(7)} s  × ${(time / unit).toFixed(2)}\n`,
    );
} finally {
  lab("down");
  rmSync(room, { recursive: true, force: true });
}
