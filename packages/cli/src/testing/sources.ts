import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root } from "../lib/checkout.ts";
import { capture } from "../lib/process.ts";

/** True where a program is on the PATH. */
export const existing = (name: string): boolean =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && existsSync(join(folder, name)));

/** Tracked files and new ones that git does not ignore, as they lie in the checkout now. */
export async function workingFiles(): Promise<string[]> {
  const { code, stdout, stderr } = await capture("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: root,
  });
  if (code !== 0) throw new Error(`git ls-files: ${stderr}`);
  return stdout.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
}

/** Shell files by name or by their first line. */
export async function shellFiles(): Promise<string[]> {
  const files = await workingFiles();
  return files.filter(
    (file) => file.endsWith(".sh") || (!/\.[a-z]+$/.test(file) && /^#!.*\b(ba)?sh\b/.test(start(file))),
  );
}

function start(file: string): string {
  const buffer = Buffer.alloc(64);
  const handle = openSync(join(root, file), "r");
  try {
    return buffer.toString("utf8", 0, readSync(handle, buffer)).split("\n")[0] ?? "";
  } finally {
    closeSync(handle);
  }
}

/** Folders with a go.mod and at least one test below it. */
export async function goModulesWithTests(): Promise<string[]> {
  const files = await workingFiles();
  const modules = files.filter((file) => file.endsWith("go.mod")).map(dirname);
  const tests = files.filter((file) => file.endsWith("_test.go"));
  return modules
    .filter((module) => tests.some((test) => test.startsWith(`${module}/`)))
    .map((module) => join(root, module));
}
