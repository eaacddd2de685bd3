import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const here = import.meta.filename;

/** The faults and dangers of the systems replaced: each has a test by its name. F9 is what this file is for. */
const owed = {
  faults: ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F10"],
  containers: Array.from({ length: 15 }, (_, i) => `B.5.${i + 1}`),
  scripts: [
    "initial_setup",
    "setup_zfs",
    "create_heads_user",
    "set_heads_password",
    "configure_vfio",
    "install_nvidia",
    "initialize_nvidia_gpus",
    "setup_firewall",
    "setup_nfs",
    "setup_samba",
    "create_admin_user",
  ],
};

function testFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts") && !name.includes("node_modules"))
    .map((name) => join(root, folder, name))
    .filter((file) => file !== here);
}

/** The texts that begin titles: of tests, of groups, and of the rows of a table. */
const titles = [...testFiles("tests"), ...testFiles("packages")]
  .flatMap((file) => readFileSync(file, "utf8").split("\n"))
  .flatMap((line) => /^\s*(?:(?:test|describe)\(|\[)?\s*["'`]([^"'`]+)["'`]/.exec(line)?.[1] ?? []);

test.each(owed.faults)("%s has tests by its name", (fault) => {
  expect(titles.filter((title) => new RegExp(`^${fault}\\b[^:]*:`).test(title))).not.toEqual([]);
});

test.each(owed.containers)(
  "%s, what runs that are repeated did to containers, has a test by its name",
  (fault) => {
    const named = (title: string): boolean =>
      (/^([^:]*):/.exec(title)?.[1] ?? "").split(", ").includes(fault);
    expect(titles.filter(named)).not.toEqual([]);
  },
);

test.each(owed.scripts)("what %s.sh did to people has a test by its name", (script) => {
  expect(
    titles.filter((title) => new RegExp(`^(F\\d+ )?(hypervisor_)?${script}(\\.sh)?:`).test(title)),
  ).not.toEqual([]);
});
