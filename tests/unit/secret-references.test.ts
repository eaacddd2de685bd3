import { expect, test } from "vitest";
import { buildModel, checkSecrets, secretNames, withSecrets } from "../../model/index.ts";
import { small, sourcesOf } from "./sources.ts";

const tree = { a: [{ secret: "one" }, 1, null], b: { secret: "two", more: 1 }, c: { secret: "one" } };

test("only an object with nothing but a name refers", () => {
  expect(secretNames(tree)).toEqual(["one"]);
  expect(secretNames({ secret: 1 })).toEqual([]);
});

test("references are followed, and nothing else changes", () => {
  expect(withSecrets(tree, new Map([["one", "value"]]))).toEqual({
    a: ["value", 1, null],
    b: { secret: "two", more: 1 },
    c: "value",
  });
  expect(() => withSecrets(tree, new Map())).toThrow("the secret one is not set");
});

test("each use is found where it is written, and judged by what the stack has", () => {
  const { hypervisor, lxc } = small();
  hypervisor["users"] = { username: "me", password_hash: { secret: "my_hash" } };
  const outcome = buildModel(sourcesOf(hypervisor, lxc));
  if (!outcome.ok) throw new Error("not valid");
  const findings = (state: "encrypted" | "plain" | "missing") =>
    checkSecrets(outcome.secrets, () => state).map(({ pointer, message, remedy }) => [
      pointer,
      message,
      remedy,
    ]);
  const remedy = "pulumi config set --secret phoenix:my_hash";
  expect(findings("encrypted")).toEqual([]);
  expect(findings("missing")).toEqual([
    ["/users/password_hash", "the secret `my_hash` is not set in this stack", remedy],
  ]);
  expect(findings("plain")).toEqual([
    [
      "/users/password_hash",
      "the secret `my_hash` stands in plain text in the stack's configuration",
      remedy,
    ],
  ]);
});
