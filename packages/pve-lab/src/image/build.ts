import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { withLock } from "../machine/lock.ts";
import { attempt, run } from "../machine/run.ts";
import type { Say } from "../machine/steps.ts";
import { bootstrap } from "./bootstrap.ts";
import { imageDigest, maskedUnits, nodePackages, templateName, templatePackages } from "./recipe.ts";
import type { Recipe } from "./recipe.ts";

/** The cached parts that every lab with the same recipe shares. */
export interface Image {
  readonly digest: string;
  /** Root file system of the node, never written to: labs lay their own layer over it. */
  readonly root: string;
  /** Directory with the OS template, served inside the node. */
  readonly template: string;
}

export function imageAt(cache: string, recipe: Recipe): Image {
  const digest = imageDigest(recipe);
  const directory = path.join(cache, `lab-${digest}`);
  return { digest, root: path.join(directory, "root"), template: path.join(directory, "template") };
}

/** Builds one part aside and moves it into place whole; a second builder waits and finds it made. */
async function make(target: string, say: Say, build: (directory: string) => Promise<void>): Promise<void> {
  if (existsSync(target)) return;
  const parent = path.dirname(target);
  mkdirSync(parent, { recursive: true });
  await withLock(
    `${target}.lock`,
    20 * 60_000,
    (pid) => say(`waiting for process ${pid}, which builds it`),
    async () => {
      if (existsSync(target)) return;
      const work = mkdtempSync(path.join(parent, `.${path.basename(target)}-`));
      try {
        chmodSync(work, 0o755);
        await build(work);
        renameSync(work, target);
      } catch (error) {
        // A cut mmdebstrap may leave /proc or /dev mounted; removing through such a mount must not happen.
        await attempt("umount", ["--recursive", work]);
        rmSync(work, { recursive: true, force: true });
        throw error;
      }
    },
  );
}

/** `zfs` and `zpool` of zfs-fuse go where the lab's own front for them finds them. */
function divertZfs(root: string): void {
  const real = path.join(root, "usr/lib/zfs-fuse");
  mkdirSync(real, { recursive: true });
  for (const name of ["zfs", "zpool"]) {
    const place = [path.join(root, "usr/sbin", name), path.join(root, "sbin", name)].find((file) =>
      existsSync(file),
    );
    if (place === undefined) throw new Error(`the package zfs-fuse has no ${name}`);
    copyFileSync(place, path.join(real, name));
    chmodSync(path.join(real, name), 0o755);
  }
}

async function buildRoot(directory: string, recipe: Recipe, say: Say): Promise<void> {
  const hooks = [
    // The kernel that the node shows: the one that this mirror's headers are for.
    'mkdir -p "$1/usr/lib/pve-lab" && chroot "$1" apt-cache depends linux-headers-amd64 | sed -n "s/^  Depends: linux-headers-//p" > "$1/usr/lib/pve-lab/kernel-release"',
  ];
  await bootstrap({ recipe, packages: nodePackages, target: directory, hooks, say });
  divertZfs(directory);
  const units = path.join(directory, "etc/systemd/system");
  for (const unit of maskedUnits) {
    rmSync(path.join(units, unit), { force: true });
    symlinkSync("/dev/null", path.join(units, unit));
  }
  const ssh = path.join(directory, "etc/ssh");
  await run("find", [ssh, "-name", "ssh_host_*", "-delete"]);
  writeFileSync(path.join(directory, "etc/machine-id"), "");
  rmSync(path.join(directory, "etc/resolv.conf"), { force: true });
}

async function buildTemplate(directory: string, recipe: Recipe, say: Say): Promise<void> {
  const tar = path.join(directory, "root.tar");
  const hooks = [
    'rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"',
    ': > "$1/etc/machine-id"',
    'mkdir -p "$1/etc/network" && printf "auto lo\\niface lo inet loopback\\n" > "$1/etc/network/interfaces"',
    'rm -rf "$1"/var/cache/ldconfig "$1"/var/log/apt "$1"/var/log/dpkg.log "$1"/var/log/bootstrap.log "$1"/var/log/alternatives.log',
    'for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer sys-kernel-debug.mount sys-kernel-tracing.mount; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done',
    ...recipe.aptOptions.map(
      (option, index) =>
        `printf '%s;\\n' '${option.replaceAll("'", "")}' > "$1/etc/apt/apt.conf.d/98machine-${index}"`,
    ),
  ];
  await bootstrap({ recipe, packages: templatePackages, target: tar, hooks, say });
  say("compressing");
  await run("zstd", ["-q", "-T0", "-9", "--rm", tar, "-o", path.join(directory, templateName)]);
}

/** Builds what is missing in the cache; costs nothing when all is there. */
export async function ensureRoot(image: Image, recipe: Recipe, say: Say): Promise<void> {
  await make(image.root, say, (directory) => buildRoot(directory, recipe, say));
}

export async function ensureTemplate(image: Image, recipe: Recipe, say: Say): Promise<void> {
  await make(image.template, say, (directory) => buildTemplate(directory, recipe, say));
}
