import type { Locator, Place } from "./locate.ts";
import { isObject } from "./text.ts";
import type { Json, Path } from "./text.ts";
import type { Finding, SecretUse } from "./types.ts";

/** What the stack's configuration has under a secret's name: encrypted, in plain text, or nothing. */
export type SecretState = "encrypted" | "plain" | "missing";

/** The name in `{"secret": "<name>"}`; undefined for anything else. */
export function secretNameOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const [only, ...more] = Object.entries(value);
  return only?.[0] === "secret" && typeof only[1] === "string" && more.length === 0 ? only[1] : undefined;
}

/** The names of all secrets that a value refers to, each once. */
export function secretNames(value: unknown): string[] {
  const name = secretNameOf(value);
  if (name !== undefined) return [name];
  if (typeof value !== "object" || value === null) return [];
  return [...new Set(Object.values(value).flatMap(secretNames))];
}

/**
 * The value with every reference replaced by what it refers to.
 * @throws Error naming a secret that `secrets` lacks
 */
export function withSecrets(value: unknown, secrets: ReadonlyMap<string, string>): unknown {
  const name = secretNameOf(value);
  if (name !== undefined) {
    const secret = secrets.get(name);
    if (secret === undefined) throw new Error(`the secret ${name} is not set`);
    return secret;
  }
  if (Array.isArray(value)) return value.map((item) => withSecrets(item, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withSecrets(member, secrets)]),
  );
}

/** Every reference of a file with the place where it is written. */
export function secretUses(value: Json, locator: Locator, path: Path = []): SecretUse[] {
  const name = secretNameOf(value);
  if (name !== undefined) {
    const place: Place = locator.find(path);
    return [{ name, place }];
  }
  if (Array.isArray(value)) return value.flatMap((item, i) => secretUses(item, locator, [...path, i]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => secretUses(member, locator, [...path, key]));
}

/** An error for each reference that the stack cannot follow to an encrypted value. */
export function checkSecrets(uses: readonly SecretUse[], stateOf: (name: string) => SecretState): Finding[] {
  return uses.flatMap(({ name, place }): Finding[] => {
    const state = stateOf(name);
    if (state === "encrypted") return [];
    const message =
      state === "missing"
        ? `the secret \`${name}\` is not set in this stack`
        : `the secret \`${name}\` stands in plain text in the stack's configuration`;
    const remedy = `pulumi config set --secret phoenix:${name}`;
    return [{ severity: "error", class: "cross-check", ...place, message, remedy }];
  });
}
