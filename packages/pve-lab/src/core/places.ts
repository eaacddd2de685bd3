import { hostname } from "node:os";

/** A path of the node, below the directory in the environment variable PVE_LAB_ROOT (tests; default: the real root). */
export function place(path: string): string {
  return `${process.env["PVE_LAB_ROOT"] ?? ""}${path}`;
}

/** The name of this node as Proxmox VE shows it: the short host name. */
export function nodeName(): string {
  return process.env["PVE_LAB_NODE"] ?? hostname().split(".")[0] ?? "pve";
}
