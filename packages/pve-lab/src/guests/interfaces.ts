import { CommandError, run } from "../volumes/run.ts";
import { initPid } from "./process.ts";

interface Address {
  readonly family?: string;
  readonly local?: string;
  readonly prefixlen?: number;
}

interface Link {
  readonly ifname?: string;
  readonly address?: string;
  readonly addr_info?: readonly Address[];
}

/** What `ip --json address` prints, in the shape of PVE's answer. */
export function toInterfaces(json: string): Record<string, unknown>[] {
  const links = JSON.parse(json) as Link[];
  return links
    .filter(({ ifname }) => ifname !== undefined)
    .map(({ ifname, address, addr_info = [] }) => {
      const full = ({ local, prefixlen }: Address) => `${local ?? ""}/${prefixlen ?? 0}`;
      const first = (family: string) => addr_info.find((entry) => entry.family === family);
      const [inet, inet6] = [first("inet"), first("inet6")];
      return {
        name: ifname,
        hwaddr: address,
        "hardware-address": address,
        ...(inet ? { inet: full(inet) } : {}),
        ...(inet6 ? { inet6: full(inet6) } : {}),
        "ip-addresses": addr_info.map(({ family, local, prefixlen }) => ({
          "ip-address": local,
          prefix: prefixlen,
          "ip-address-type": family,
        })),
      };
    });
}

/** Interfaces and addresses inside a running guest; null when it does not run. */
export async function guestInterfaces(vmid: number): Promise<Record<string, unknown>[] | null> {
  const pid = await initPid(vmid);
  if (pid === undefined) return null;
  try {
    return toInterfaces(
      await run("nsenter", ["--target", String(pid), "--net", "--", "ip", "--json", "address"]),
    );
  } catch (error) {
    // It may have ended just now.
    if (error instanceof CommandError) return null;
    throw error;
  }
}
