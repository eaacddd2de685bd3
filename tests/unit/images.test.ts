import { expect, test } from "vitest";
import { buildModel } from "../../model/index.ts";
import { base } from "./leaf-pairs.ts";
import { brief, findingsOf, sourcesOf } from "./sources.ts";

type Json = Record<string, unknown>;

/** What is said of the one image, in a preview and where a configuration is only looked at. */
function said(image: Json, unbuilt: "warn" | "error" = "error"): string[] {
  const { hypervisor, lxc } = base();
  const [first, ...rest] = hypervisor["os_templates"] as Json[];
  hypervisor["os_templates"] = [{ ...first, ...image }, ...rest];
  return findingsOf(buildModel(sourcesOf(hypervisor, lxc), { unbuilt }))
    .map(brief)
    .filter((text) => text.includes("checksum of the OS template"));
}

const url = "https://example.com/debian-12-standard_12.12-1_amd64.tar.zst";
const checksum = { algorithm: "sha512", value: "a".repeat(128) };

test("F10: an image that is downloaded without a checksum stops a preview, at its place, and says where to get one", () => {
  const [message, ...more] = said({ url });
  expect(more).toEqual([]);
  expect(message).toMatch(
    /error cross-check \/os_templates\/0\/url .*pveam download \S+ debian-12-standard_12\.12-1_amd64\.tar\.zst/,
  );
  expect(said({ url }, "warn").join()).toMatch(/ warning /);
});

test.each([
  ["with a checksum", { url, checksum }],
  ["that is there already", { url, existing: true }],
  ["from the node itself", { url: "http://127.0.0.1:8099/template/x.tar.zst" }],
  ["from the node itself, by name", { url: "http://localhost/x.tar.zst" }],
])("an image %s is fine", (_, image) => {
  expect(said(image)).toEqual([]);
});

test.each(["http://127.0.0.1.example.com/x.tar.zst", "http://localhost.example.com/x.tar.zst"])(
  "%s is not the node itself",
  (elsewhere) => {
    expect(said({ url: elsewhere })).toHaveLength(1);
  },
);
