import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** `new proxmoxve.storage.Zfspool(` → ["proxmoxve", "storage.Zfspool"] */
function constructed(): string[][] {
  const sources = globSync("components/**/*.ts", { cwd: root }).map(read).join("\n");
  return [...sources.matchAll(/new (proxmoxve|command)\.([A-Za-z.]+)\(/g)].map(
    ([, plugin = "", path = ""]) => [plugin, path],
  );
}

it("every provider resource that the program makes is among those whose schema is compared with the SDK's", () => {
  const test = read("packages/offline-engine/tests/interchangeable.lab.test.ts");
  const compared = [...test.matchAll(/^ {2}\["(\w+)", "([\w/]+)", "(\w+)"\],$/gm)].map(([, plugin, , name]) =>
    [plugin, name].join(" "),
  );
  const made = constructed().map(([plugin, path = ""]) => [plugin, path.split(".").pop()].join(" "));
  expect(made.length).toBeGreaterThan(5);
  expect(made.filter((one) => !compared.includes(one))).toEqual([]);
});

it("what replaces is listed for every resource of proxmoxve that the program makes", () => {
  const test = read("packages/offline-engine/go/plugins/proxmoxve/replaces_test.go");
  const listed = new Set([...test.matchAll(/^\t"(proxmox_\w+)":/gm)].map(([, name]) => name));
  const terraform = constructed()
    .filter(([plugin, path]) => plugin === "proxmoxve" && path !== "Provider")
    .map(([, path = ""]) => {
      const words = path
        .split(".")
        .join("_")
        .replace(/(?<=[a-z])(?=[A-Z])/g, "_")
        .toLowerCase();
      const old = words.replace(/_legacy$/, "");
      return old === words ? `proxmox_${words}` : `proxmox_virtual_environment_${old}`;
    });
  expect(terraform.length).toBeGreaterThan(3);
  expect(terraform.filter((name) => !listed.has(name))).toEqual([]);
});
