import type { Model } from "../../../../model/index.ts";

/** What the stack wants of its node. */
export interface Wanted {
  readonly stack: string;
  /** The node's name in Proxmox VE, as the stack has it. */
  readonly node: string;
  readonly model: Model;
  /** Storages that the stack's state knows: they are its own. */
  readonly ownStorages: ReadonlySet<string>;
}
