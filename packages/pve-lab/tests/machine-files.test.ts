import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { NodeFile } from "../src/image/node-file.ts";
import { commonFiles } from "../src/image/units.ts";
import { isMonitor } from "../src/machine/monitor.ts";
import { placeFiles } from "../src/machine/place-files.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "pve-lab-files-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("files of the node", () => {
  const upper = path.join(scratch, "upper");
  const record = path.join(scratch, "written.json");
  const ours: NodeFile = { path: "/usr/lib/ours", mode: 0o755, text: "ours 1\n" };
  const hers: NodeFile = { path: "/etc/hosts", mode: 0o644, text: "hosts 1\n", owners: true };
  const up = (...files: NodeFile[]): void =>
    placeFiles(files, { root: upper, lower: undefined, upper, record });
  const text = (file: NodeFile): string => readFileSync(upper + file.path, "utf8");

  beforeEach(() => {
    rmSync(upper, { recursive: true, force: true });
    rmSync(record, { force: true });
    mkdirSync(upper);
    up(ours, hers);
  });

  it("are written with their modes, and written again with a newer text", () => {
    expect(statSync(upper + ours.path).mode & 0o777).toBe(0o755);
    writeFileSync(upper + ours.path, "broken\n");
    up({ ...ours, text: "ours 2\n" }, { ...hers, text: "hosts 2\n" });
    expect([text(ours), text(hers)]).toEqual(["ours 2\n", "hosts 2\n"]);
  });

  it("stay as they are once the node's owner has changed one of hers", () => {
    writeFileSync(upper + hers.path, "her hosts\n");
    up(ours, { ...hers, text: "hosts 2\n" });
    up(ours, { ...hers, text: "hosts 3\n" });
    expect(text(hers)).toBe("her hosts\n");
    rmSync(upper + hers.path);
    symlinkSync("elsewhere", upper + hers.path);
    up(hers);
    expect(() => text(hers)).toThrow(/ENOENT/);
  });

  it("belong to the owner where Proxmox VE's API or a person configures the node", () => {
    const owners = commonFiles().filter((file) => file.owners === true);
    expect(owners.map((file) => file.path).sort()).toEqual([
      "/etc/hosts",
      "/etc/network/interfaces",
      "/etc/subgid",
      "/etc/subuid",
    ]);
  });
});

describe("the process that keeps a node's container", () => {
  it("is known by its title or its command line, and no other is taken for it", () => {
    const is = (...words: string[]): boolean => isMonitor(words, "/var/lab/lxc", "phoenix-lab-1");
    expect(is("[lxc monitor] /var/lab/lxc phoenix-lab-1")).toBe(true);
    expect(is("/usr/bin/lxc-start", "-P", "/var/lab/lxc", "-n", "phoenix-lab-1", "--daemon")).toBe(true);
    expect(is("[lxc monitor] /var/lab/lxc phoenix-lab-12")).toBe(false);
    expect(is("lxc-stop", "-P", "/var/lab/lxc", "-n", "phoenix-lab-1")).toBe(false);
    expect(is("lxc-start", "-F", "-n", "900")).toBe(false);
    expect(is()).toBe(false);
  });
});
