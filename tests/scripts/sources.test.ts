import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { GENERATED, readExitCodes, renderExitCodes } from "./exit-codes.ts";
import { root } from "./run-script.ts";

const folders = ["bin/hypervisor", "bin/lxc", "bin/lib"];
const files = folders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
const scripts = files.filter((file) => file.endsWith(".sh"));
const programs = scripts.filter((file) => (statSync(join(root, file)).mode & 0o100) !== 0);
const manifests = files.filter((file) => /\/feature_.*\.json$/.test(file));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
/** Without comments of their own line. */
const code = (file: string): string => read(file).replace(/^ *#.*$/gm, "");
const codes = readExitCodes(root);

interface Manifest {
  readonly name: string;
  readonly target: string;
  readonly parameters: object;
  readonly verbs: readonly string[];
}

describe("exit codes", () => {
  test("are unique, by number and by name, and clear of the shell's own", () => {
    expect(new Set(codes.map(({ code }) => code)).size).toBe(codes.length);
    expect(new Set(codes.map(({ name }) => name)).size).toBe(codes.length);
    for (const { code } of codes.slice(1)) expect(code).toSatisfy((n: number) => n >= 10 && n <= 63);
    expect(codes[0]).toMatchObject({ code: 0, name: "OK" });
  });

  test("reach the shell through a generated file that is fresh", () => {
    expect(read(GENERATED)).toBe(renderExitCodes(codes));
  });

  test("are the ones that scripts fail with", () => {
    const known = new Set(codes.map(({ name }) => name));
    const used = scripts.flatMap((file) =>
      [...code(file).matchAll(/\b(?:fail|exit_code_of) ([A-Z][A-Z_]+)\b|step "[^"]*" ([A-Z_]+)\b/g)].map(
        ([, failed, stepped]) => failed ?? stepped ?? "",
      ),
    );
    expect(used.length).toBeGreaterThan(50);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("manifests", () => {
  const ajv = new Ajv2020({ strict: true, allErrors: true, strictTypes: false });
  const validate = ajv.compile(JSON.parse(read("schemas/feature_manifest.schema.json")) as object);

  test.each(manifests)("%s is valid, and its verbs are what the script has", (file) => {
    const manifest = JSON.parse(read(file)) as Manifest;
    validate(manifest);
    expect(validate.errors).toBeNull();
    const parameters = new Ajv2020({ strictTypes: false, strictRequired: false });
    parameters.addSchema({ $id: "phoenix:secret" }).compile(manifest.parameters);
    const script = file.replace(/\.json$/, ".sh");
    expect(programs).toContain(script);
    expect(file.split("/")[1]).toBe(manifest.target);
    const defined = [...read(script).matchAll(/^do_(\w+)\(\)/gm)].map(([, verb]) => verb ?? "");
    expect(defined.sort()).toEqual([...manifest.verbs].sort());
  });

  test("lie beside every feature", () => {
    const features = scripts.filter((file) => file.includes("/feature_"));
    expect(features.map((file) => file.replace(/\.sh$/, ".json")).sort()).toEqual([...manifests].sort());
  });
});

describe("every script", () => {
  test.each(programs)("%s is strict from its first line on", (file) => {
    const text = read(file);
    expect(text.startsWith("#!/usr/bin/env bash\n# ")).toBe(true);
    const first = text.split("\n").find((line) => line !== "" && !line.startsWith("#"));
    expect(first).toBe("set -Eeuo pipefail");
  });

  test.each(scripts)("%s parses, and is without exemptions, eval and force", (file) => {
    expect(spawnSync("bash", ["-n", join(root, file)], { encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
    const text = read(file);
    expect(text).not.toMatch(/shellcheck disable/);
    expect(text).not.toMatch(/\beval\b/);
    expect(text).not.toMatch(/\bz(pool|fs) [a-z]+ (-\w*f|--force)/);
    expect(text).not.toMatch(/\bcurl\b.*\|\s*(ba)?sh\b/);
  });

  test.each(scripts)("%s names no site: no address, CTID, pool or disk", (file) => {
    const text = read(file).replaceAll("127.0.0.1", "loopback");
    expect(text).not.toMatch(/\b\d{1,3}(\.\d{1,3}){3}\b/);
    expect(text).not.toMatch(/quickOS|fastData|lxc-disks|shared-/);
    expect(text).not.toMatch(/by-id\/[A-Za-z0-9]/);
    expect(code(file)).not.toMatch(/\b9\d\d\b/);
  });
});

describe("what comes from the net", () => {
  const all = readdirSync(join(root, "bin"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".json"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  const lines = (word: RegExp): string[] =>
    all.flatMap((file) =>
      code(file)
        .split("\n")
        .flatMap((line) => (word.test(line) ? [`${file}: ${line.trim()}`] : [])),
    );

  test("is never piped into a shell", () => {
    expect(all).toContain("bin/phoenix");
    expect(lines(/\|\s*(?:sudo\s+)?(?:ba|da|z)?sh\b|<\(\s*(?:curl|wget)/)).toEqual([]);
  });

  test("is fetched in two places only: by apt's downloader and by npm", () => {
    const loads =
      /^(?!.*\bfail ").*\b(?:curl|wget|apt-helper|git clone|pip3? (?:install|download)|npm (?:pack|ci|install)|LWP|HTTP::Tiny)\b/;
    expect(
      lines(loads)
        .map((line) => line.split(": ")[0])
        .sort(),
    ).toEqual(["bin/lib/nvidia.sh", "bin/phoenix", "bin/phoenix"]);
    // Each has a checksum beside it: that of npm ci is in package-lock.json.
    expect(read("bin/phoenix")).toMatch(
      /npm pack --silent "node-\$machine@\$version"[^]*sha512sum --check --status <<<"\$sum /,
    );
    expect(read("bin/lib/nvidia.sh")).toMatch(
      /apt-helper download-file "\$url"[^]*if \[\[ \$found != "\$sum {2}-" \]\]; then/,
    );
    const calls = lines(/^\s*(?:if .*; then )?inside_fetch "\$\w*url"/);
    expect(calls.length).toBeGreaterThan(3);
    for (const call of calls) expect(call).toMatch(/inside_fetch "\$\w*url" "\$\w*sum" "\$\w+"/);
  });

  test("has every checksum in the lock file", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { link?: boolean; integrity?: string }>;
    };
    const fetched = Object.entries(packages).filter(
      ([name, { link }]) => name.includes("node_modules/") && !link,
    );
    expect(fetched.length).toBeGreaterThan(100);
    expect(fetched.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-"))).toEqual([]);
  });
});
