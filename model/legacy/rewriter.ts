import type { Findings } from "../findings.ts";
import type { Locator } from "../locate.ts";
import { isObject } from "../text.ts";
import type { Json, JsonObject, Path } from "../text.ts";

/** Brings a value from an older spelling into today's, and says so at the place where it is written. */
export class Rewriter {
  readonly root: JsonObject;
  readonly locator: Locator;
  readonly findings: Findings;

  constructor(root: JsonObject, locator: Locator, findings: Findings) {
    this.root = root;
    this.locator = locator;
    this.findings = findings;
  }

  get(path: Path): Json | undefined {
    let node: Json | undefined = this.root;
    for (const part of path) {
      if (Array.isArray(node)) node = node[Number(part)];
      else if (isObject(node) && Object.hasOwn(node, String(part))) node = node[String(part)];
      else return undefined;
    }
    return node;
  }

  object(path: Path): JsonObject | undefined {
    const value = this.get(path);
    return isObject(value) ? value : undefined;
  }

  array(path: Path): Json[] {
    const value = this.get(path);
    return Array.isArray(value) ? value : [];
  }

  text(path: Path): string | undefined {
    const value = this.get(path);
    return typeof value === "string" ? value : undefined;
  }

  /** Same key, new value; the position in the object stays. */
  replace(path: Path, value: Json, message: string, rule?: string): void {
    this.warn(path, message, rule);
    this.write(path, value);
  }

  /** Another key, perhaps with another value. It takes the old one's position if both are in one object. */
  rename(from: Path, to: Path, value: Json, rule?: string): void {
    this.warn(from, `\`${shortest(from, to)}\` is now \`${shortest(to, from)}\``, rule, "key");
    this.#put(from, to, value);
    this.locator.moved(to, from);
  }

  /** Takes it out and says why it has no effect. */
  drop(path: Path, message: string, rule?: string): void {
    this.warn(path, message, rule, "key");
    this.remove(path);
  }

  warn(path: Path, message: string, remedy?: string, what: "key" | "value" = "value"): void {
    this.findings.warn(this.locator, path, message, { class: "schema", remedy, what });
  }

  error(path: Path, message: string, remedy?: string, what: "key" | "value" = "value"): void {
    this.findings.add(this.locator, path, message, { class: "schema", remedy, what });
  }

  write(path: Path, value: Json): void {
    let node: JsonObject | Json[] = this.root;
    for (const part of path.slice(0, -1)) {
      const next: Json | undefined = Array.isArray(node) ? node[Number(part)] : node[String(part)];
      if (isObject(next) || Array.isArray(next)) node = next;
      else {
        const made: JsonObject = {};
        if (Array.isArray(node)) node[Number(part)] = made;
        else node[String(part)] = made;
        node = made;
      }
    }
    const last = path.at(-1) ?? "";
    if (Array.isArray(node)) node[Number(last)] = value;
    else node[String(last)] = value;
  }

  remove(path: Path): void {
    const parent = this.get(path.slice(0, -1));
    const last = path.at(-1) ?? "";
    if (Array.isArray(parent)) {
      parent.splice(Number(last), 1);
      // What follows has moved up, but is still reported where it is written.
      for (let i = Number(last); i < parent.length; i++) {
        this.locator.moved([...path.slice(0, -1), i], [...path.slice(0, -1), i + 1]);
      }
    } else if (isObject(parent)) Reflect.deleteProperty(parent, String(last));
  }

  #put(from: Path, to: Path, value: Json): void {
    const parent = this.object(from.slice(0, -1));
    const sameParent = from.length === to.length && from.slice(0, -1).every((part, i) => part === to[i]);
    if (!sameParent || parent === undefined) {
      this.remove(from);
      this.write(to, value);
      return;
    }
    const entries = Object.entries(parent).filter(([key]) => key !== to.at(-1));
    for (const key of Object.keys(parent)) Reflect.deleteProperty(parent, key);
    for (const [key, old] of entries) {
      if (key === from.at(-1)) parent[String(to.at(-1))] = value;
      else parent[key] = old;
    }
  }
}

/** The part of a path that differs from another one, in dots: what a person would call the key. */
function shortest(path: Path, other: Path): string {
  let same = 0;
  while (same < path.length - 1 && String(path[same]) === String(other[same])) same++;
  return path.slice(same).join(".");
}
