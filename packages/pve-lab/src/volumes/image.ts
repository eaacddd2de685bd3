import { existsSync } from "node:fs";
import { mkdir, open, readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../core/locks.ts";
import { CommandError, run, succeeds } from "./run.ts";

/** Makes a sparse image file with an empty ext4 file system whose root belongs to `owner` (user and group id). */
export async function createImage(path: string, bytes: number, owner: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  await file.truncate(bytes);
  await file.close();
  // The file is all holes: nothing needs zeroing, now or later in the background.
  const extended = `root_owner=${owner}:${owner},lazy_itable_init=1,nodiscard,assume_storage_prezeroed=1`;
  await run("mkfs.ext4", ["-q", "-F", "-m", "1", "-J", "size=16", "-E", extended, path]);
}

export interface MountOptions {
  readonly readOnly?: boolean;
  /** Further mount options, e.g. `noatime`. */
  readonly options?: readonly string[];
}

/** Mounts an image through a loop device that goes away with the mount. */
export async function mountImage(path: string, target: string, how: MountOptions = {}): Promise<void> {
  await mkdir(target, { recursive: true });
  const options = [how.readOnly ? "ro,noload" : "rw", ...(how.options ?? ["noatime"])].join(",");
  await withLock("loop-devices", 60, async () => {
    const device = await attach(path, how.readOnly === true);
    try {
      await run("mount", ["-t", "ext4", "-o", options, device, target]);
    } finally {
      // In use it is detached at the last unmount, else at once.
      await succeeds("losetup", ["--detach", device]);
    }
  });
}

async function attach(path: string, readOnly: boolean): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const device = (await run("losetup", ["--find"])).trim();
    const number = /^\/dev\/loop(\d+)$/.exec(device)?.[1];
    // A container has no devtmpfs: the kernel's new loop devices get no node by themselves.
    if (number !== undefined && !existsSync(device))
      await run("mknod", ["-m", "0660", device, "b", "7", number]);
    try {
      await run("losetup", [...(readOnly ? ["--read-only"] : []), device, path]);
      return device;
    } catch (error) {
      // Another node on the same machine may have been quicker.
      if (!(error instanceof CommandError) || attempt === 10) throw error;
      await sleep(100 * attempt);
    }
  }
}

export interface Mount {
  readonly source: string;
  readonly target: string;
}

/** What is mounted at or below a folder, deepest first. */
export async function mountsBelow(folder: string): Promise<Mount[]> {
  const lines = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  return lines
    .map((line) => line.split(" "))
    .map(([source = "", target = ""]) => ({ source, target: target.replaceAll("\\040", " ") }))
    .filter(({ target }) => target === folder || target.startsWith(`${folder}/`))
    .reverse();
}

export async function isMounted(target: string): Promise<boolean> {
  return (await mountsBelow(target)).some((mount) => mount.target === target);
}

/** Unmounts everything at and below a folder. Waits a little for what is busy, then detaches it. */
export async function unmountAll(folder: string): Promise<void> {
  for (const { target } of await mountsBelow(folder)) {
    for (let attempt = 1; !(await succeeds("umount", [target])); attempt++) {
      if (attempt === 20) {
        await run("umount", ["--lazy", target]);
        break;
      }
      await sleep(100);
    }
  }
}

/** Bytes of the ext4 file system in an image, from its superblock (Linux: fs/ext4/ext4.h). */
export async function fileSystemBytes(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const block = Buffer.alloc(1024);
    await file.read(block, 0, 1024, 1024);
    if (block.readUInt16LE(0x38) !== 0xef53) throw new Error(`'${path}' holds no ext4 file system`);
    const count = block.readUInt32LE(0x4) + block.readUInt32LE(0x150) * 2 ** 32;
    return count * 1024 * 2 ** block.readUInt32LE(0x18);
  } finally {
    await file.close();
  }
}

/**
 * Lengthens the file system of an image that is not mounted to the image's length, if it is shorter by more than
 * the rest which mkfs.ext4 leaves unused at the end.
 */
export async function growFileSystem(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size - (await fileSystemBytes(path)) < 4 * 1024 ** 2) return;
  await run("e2fsck", ["-f", "-y", path]).catch((error: unknown) => {
    // 1: errors corrected.
    if (!(error instanceof CommandError) || error.code !== 1) throw error;
  });
  await run("resize2fs", [path]);
}

/**
 * Lengthens a mounted file system to its image's length.
 * @throws CommandError where the machine's root lacks the capability for that (CAP_SYS_RESOURCE)
 */
export async function growMounted(target: string): Promise<void> {
  const device = (await mountsBelow(target)).find((mount) => mount.target === target)?.source;
  if (device === undefined) throw new Error(`'${target}' is not mounted`);
  await run("losetup", ["--set-capacity", device]);
  await run("resize2fs", [device]);
}

/** Runs `action` while the mounted file system stands still, so that an image taken meanwhile is whole. */
export async function whileFrozen<T>(target: string, action: () => Promise<T>): Promise<T> {
  await run("fsfreeze", ["--freeze", target]);
  try {
    return await action();
  } finally {
    await run("fsfreeze", ["--unfreeze", target]);
  }
}
