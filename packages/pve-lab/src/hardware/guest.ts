import { lstatSync, readFileSync, renameSync } from "node:fs";
import { passthroughDevices } from "../guests/devices.ts";
import type { GuestRoot } from "../guests/inside-root.ts";
import { guestFilePaths, smiPlaces } from "./node-files.ts";

/**
 * Gives a guest with a card's device nodes the lab's simulated nvidia-smi, which takes the place of the one that a
 * package inside the guest has brought or will bring. Guests without such devices are left as they are.
 */
export function prepareNvidiaGuest(values: Readonly<Record<string, string>>, root: GuestRoot): void {
  if (!passthroughDevices(values).some(({ path }) => path.startsWith("/dev/nvidia"))) return;
  // Only where dpkg installs packages can the simulation follow them.
  if (!root.exists("/etc/dpkg")) return;
  const [front = ""] = guestFilePaths;
  for (const file of guestFilePaths) {
    root.makeFolder(file.slice(0, file.lastIndexOf("/")));
    root.write(file, readFileSync(file, "utf8"), file.startsWith("/etc/") ? 0o644 : 0o755);
  }
  for (const file of smiPlaces) {
    const target = root.resolve(file, false);
    if (lstatSync(target, { throwIfNoEntry: false })?.isFile() !== true) continue;
    if (readFileSync(target).subarray(0, 2).toString("latin1") !== "#!")
      renameSync(target, `${target}.machine`);
    root.write(file, readFileSync(front, "utf8"), 0o755);
  }
}
