import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildModel, formatFindings, migrate } from "../../model/index.ts";
import { readSources } from "../../model/read-files.ts";
import type { SourceFile } from "../../model/types.ts";
import { findingsOf, modelOf, root, testFeatures } from "./sources.ts";

const hypervisor = "tests/fixtures/legacy/phoenix_hypervisor_config.json";
const lxc = "tests/fixtures/legacy/phoenix_lxc_configs.json";
const read = (path: string): SourceFile => ({ path, text: readFileSync(join(root, path), "utf8") });

const sources = { ...readSources(root, { hypervisor: [hypervisor], lxc: [lxc] }), ...testFeatures };

test("the two files are a user's, byte for byte", () => {
  const digest = (path: string): string =>
    createHash("sha256")
      .update(readFileSync(join(root, path)))
      .digest("hex");
  expect(digest(hypervisor)).toBe("b75877b803d997269f7cf024ada5210b728f62ae2cad06499ab843537afc7a66");
  expect(digest(lxc)).toBe("8dd67f21149155adf4ac883651f2d9d0752e3aed82da800d6fce87bf49d7effa");
});

test("they are valid, with exactly these warnings", async () => {
  const outcome = buildModel(sources, { unbuilt: "warn" });
  expect(outcome.ok).toBe(true);
  await expect(formatFindings(findingsOf(outcome)) + "\n").toMatchFileSnapshot(
    "./expected/legacy-warnings.txt",
  );
});

test("in a preview, what has no script yet is an error, and what would be fetched without a checksum", () => {
  const outcome = buildModel(sources);
  expect(outcome.ok).toBe(false);
  const errors = findingsOf(outcome).filter(({ severity }) => severity === "error");
  expect(errors.length).toBeGreaterThan(10);
  const others = errors
    .map(({ message }) => message)
    .filter((message) => !message.endsWith("has no script yet"));
  expect(others.sort()).toEqual([
    "the NVIDIA container toolkit's version, or the checksum of its key, is missing",
    "the checksum of the OS template `ubuntu-24.04-standard_24.04-2_amd64` is missing",
    "the checksum of the containers' NVIDIA installer is missing",
    "the checksum of the repository's key is missing",
    "the installer's checksum is missing",
  ]);
});

test("they mean what they meant", () => {
  const { templates, containers, host } = modelOf(buildModel(sources, { unbuilt: "warn" }));
  expect(templates.map(({ vmid }) => vmid)).toEqual([900, 901, 902, 903, 920]);
  expect(containers.map(({ vmid }) => vmid).sort()).toEqual([
    910, 950, 951, 952, 953, 954, 955, 956, 957, 960,
  ]);
  expect(containers[0]?.vmid).toBe(953);
  expect(host.datasets).toHaveLength(9);
  expect(host.osTemplates.map(({ fileName }) => fileName)).toEqual([
    "ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
  ]);
  expect(templates[0]?.source).toMatchObject({
    volid: "fastData-shared-iso:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
  });
});

test("migrate writes them so that no older spelling is left, and a second time changes nothing", async () => {
  const migrated = migrate([read(hypervisor), read(lxc)]);
  expect(migrated.files.map(({ path }) => path)).toEqual([hypervisor, lxc]);
  const diffs = migrated.files.map(({ diff }) => diff).join("");
  await expect(diffs).toMatchFileSnapshot("./expected/legacy-migrated.diff");
  const files = migrated.files.map(({ path, after }) => ({ path, text: after }));
  const again = migrate(files);
  expect(again.files.map(({ diff }) => diff)).toEqual(["", ""]);
  expect(again.findings).toEqual([]);
  const [host, containers] = files;
  const outcome = buildModel(
    { ...sources, hypervisor: host ? [host] : [], lxc: containers ? [containers] : [] },
    { unbuilt: "warn" },
  );
  expect(modelOf(outcome)).toEqual(modelOf(buildModel(sources, { unbuilt: "warn" })));
});

test("a literal secret becomes a reference, and is in no text that migrate gives out", () => {
  const text = JSON.stringify({
    network: {},
    users: { username: "me", password_hash: "$6$salt$verysecret" },
  });
  const migrated = migrate([{ path: "host.json", text }]);
  const [file] = migrated.files;
  expect(JSON.parse(file?.after ?? "")).toMatchObject({
    users: { password_hash: { secret: "users_password_hash" } },
  });
  expect(JSON.stringify(migrated.findings)).not.toContain("verysecret");
  expect(file?.after).not.toContain("verysecret");
});

test("keys that other revisions knew are named and left out; others are errors", () => {
  const legacy = JSON.parse(read(lxc).text) as { lxc_configs: Record<string, Record<string, unknown>> };
  Object.assign(legacy.lxc_configs["956"] ?? {}, {
    apparmor_profile: "unconfined",
    traefik_service: { name: "webui", port: 8080 },
    apparmour_profile: "x",
  });
  const outcome = buildModel(
    { ...sources, lxc: [{ path: lxc, text: JSON.stringify(legacy) }] },
    { unbuilt: "warn" },
  );
  const found = findingsOf(outcome).filter(({ pointer }) => /956\/(appa|traefik)/.test(pointer));
  expect(
    found.map(({ severity, pointer, message }) => [severity, pointer.split("/").at(-1), message]),
  ).toEqual([
    [
      "warning",
      "apparmor_profile",
      "`apparmor_profile` is a key of an earlier system that is not served: it has no effect",
    ],
    [
      "warning",
      "traefik_service",
      "`traefik_service` is a key of an earlier system that is not served: it has no effect",
    ],
    ["error", "apparmour_profile", "unknown key `apparmour_profile`"],
  ]);
});
