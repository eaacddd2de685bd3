import { BadRequest, type Arguments } from "./getopt.ts";

/** The guest's number, for what `pct` does itself. @throws BadRequest with the words of Proxmox VE's verification */
export function vmidOf({ positional }: Arguments): string {
  const [vmid = ""] = positional;
  const fault = !/^[+-]?\d+$/.test(vmid)
    ? `type check ('integer') failed - got '${vmid}'`
    : "invalid format - value does not look like a valid VM ID\n";
  if (!/^[1-9]\d{2,8}$/.test(vmid)) throw new BadRequest(`Parameter verification failed.\nvmid: ${fault}`);
  return vmid;
}

export function guestPath(node: string, vmid: string, rest = ""): string {
  return `/nodes/${node}/lxc/${encodeURIComponent(vmid)}${rest}`;
}
