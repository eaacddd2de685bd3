import {
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { isMissing } from "../core/files.ts";

/** A guest's root directory seen from the node. The guest's links are followed inside it only, never out of it. */
export class GuestRoot {
  readonly #root: string;
  readonly #owner: { uid: number; gid: number };

  /** @param owner the node's ids of the guest's root */
  constructor(root: string, owner: { uid: number; gid: number }) {
    this.#root = root;
    this.#owner = owner;
  }

  /**
   * Path on the node of a path in the guest, links resolved below the root.
   * @param lastLink whether a link at the very end is followed as well
   * @throws Error for a loop of links
   */
  resolve(path: string, lastLink = true): string {
    const pending = path.split("/").filter((part) => part !== "" && part !== ".");
    const done: string[] = [];
    let links = 0;
    while (pending.length > 0) {
      const part = pending.shift() ?? "";
      if (part === "..") {
        done.pop();
        continue;
      }
      const here = [this.#root, ...done, part].join("/");
      const link = pending.length > 0 || lastLink ? readLink(here) : undefined;
      if (link === undefined) {
        done.push(part);
        continue;
      }
      if (++links > 40) throw new Error(`too many links in '${path}'`);
      if (link.startsWith("/")) done.length = 0;
      pending.unshift(...link.split("/").filter((piece) => piece !== "" && piece !== "."));
    }
    return [this.#root, ...done].join("/");
  }

  exists(path: string): boolean {
    return lstatSync(this.resolve(path), { throwIfNoEntry: false }) !== undefined;
  }

  /** The file's text, or undefined when it is not there. */
  read(path: string): string | undefined {
    try {
      return readFileSync(this.resolve(path), "utf8");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Replaces a file if its text differs; it belongs to the guest's root. A dangling link is replaced by a file. */
  write(path: string, text: string, mode = 0o644): void {
    if (this.read(path) === text) return;
    let target = this.resolve(path);
    if (!lstatSync(target.slice(0, target.lastIndexOf("/")), { throwIfNoEntry: false }))
      target = this.resolve(path, false);
    const before = lstatSync(target, { throwIfNoEntry: false });
    const temporary = `${target}.pve-tmp`;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { mode, flag: "wx" });
    const keep = before?.isFile() ? before : this.#owner;
    chownSync(temporary, keep.uid, keep.gid);
    renameSync(temporary, target);
  }

  /** Makes a folder with its parents, owned by the guest's root. */
  makeFolder(path: string, mode = 0o755): string {
    let made = "";
    for (const part of path.split("/").filter(Boolean)) {
      made += `/${part}`;
      const here = this.resolve(made);
      if (lstatSync(here, { throwIfNoEntry: false })) continue;
      mkdirSync(here, { mode });
      chownSync(here, this.#owner.uid, this.#owner.gid);
    }
    return this.resolve(path);
  }

  /** Makes an empty file to mount something over. */
  makeFile(path: string): string {
    this.makeFolder(path.slice(0, path.lastIndexOf("/")) || "/");
    const target = this.resolve(path);
    if (!lstatSync(target, { throwIfNoEntry: false })) this.write(path, "");
    return target;
  }

  /** Makes a link unless there is something already. */
  link(path: string, text: string): void {
    const target = this.resolve(path, false);
    if (lstatSync(target, { throwIfNoEntry: false })) return;
    symlinkSync(text, target);
    lchownSync(target, this.#owner.uid, this.#owner.gid);
  }

  remove(path: string): void {
    rmSync(this.resolve(path, false), { force: true });
  }
}

function readLink(path: string): string | undefined {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  return facts?.isSymbolicLink() ? readlinkSync(path) : undefined;
}
