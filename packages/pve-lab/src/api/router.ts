import type { Method } from "../core/route.ts";

interface Node<T> {
  readonly fixed: Map<string, Node<T>>;
  variable?: { name: string; node: Node<T> };
  readonly entries: Map<Method, T>;
}

export interface Match<T> {
  readonly entries: ReadonlyMap<Method, T>;
  readonly variables: Record<string, string>;
  readonly path: string;
}

const emptyNode = <T>(): Node<T> => ({ fixed: new Map(), entries: new Map() });

/** These take the rest of the path, slashes included, as PVE's handlers without delimiter do. */
const GREEDY = new Set(["volume", "cidr", "poolid"]);

/** Finds routes by path: fixed names before variables, one table for all methods. */
export class Router<T> {
  readonly #root: Node<T> = emptyNode();

  add(method: Method, path: string, entry: T): void {
    let node = this.#root;
    for (const part of path.split("/").slice(1)) {
      const name = /^\{(.+)\}$/.exec(part)?.[1];
      if (name === undefined) {
        const next = node.fixed.get(part) ?? emptyNode<T>();
        node.fixed.set(part, next);
        node = next;
      } else {
        node.variable ??= { name, node: emptyNode() };
        node = node.variable.node;
      }
    }
    node.entries.set(method, entry);
  }

  /** @param segments the path's parts, already percent-decoded */
  find(segments: readonly string[]): Match<T> | undefined {
    return this.#descend(this.#root, segments, {}, "");
  }

  #descend(
    node: Node<T>,
    rest: readonly string[],
    variables: Record<string, string>,
    path: string,
  ): Match<T> | undefined {
    const [head, ...tail] = rest;
    if (head === undefined)
      return node.entries.size > 0 ? { entries: node.entries, variables, path: path || "/" } : undefined;
    const fixed = node.fixed.get(head);
    const found = fixed && this.#descend(fixed, tail, variables, `${path}/${head}`);
    if (found || !node.variable) return found;
    const { name, node: next } = node.variable;
    const deeper = this.#descend(next, tail, { ...variables, [name]: head }, `${path}/{${name}}`);
    if (deeper || !GREEDY.has(name) || tail.length === 0) return deeper;
    return this.#descend(next, [], { ...variables, [name]: rest.join("/") }, `${path}/{${name}}`);
  }
}
