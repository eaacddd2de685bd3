import { existsSync } from "node:fs";
import { run } from "../volumes/run.ts";
import { parseNetwork, type Network } from "./property-string.ts";

/**
 * The bridge that a guest's interface is put on. The kernel of most machines under a lab has no VLANs: there a tag
 * means a bridge of its own, named as Proxmox VE names it, without a way out. Guests with the same tag see each other.
 */
export function segmentOf(network: Network): string | undefined {
  const { bridge, tag } = network;
  return bridge === undefined || tag === undefined ? bridge : `${bridge}v${tag}`;
}

/** The tagged segments of a configuration. */
export function segmentsOf(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (!/^net\d+$/.test(key)) return [];
    const network = parseNetwork(value);
    const segment = segmentOf(network);
    return network["tag"] === undefined || segment === undefined ? [] : [segment];
  });
}

export async function ensureSegments(names: readonly string[]): Promise<void> {
  for (const name of new Set(names)) {
    if (!existsSync(`/sys/class/net/${name}`))
      await run("ip", ["link", "add", "name", name, "type", "bridge"]);
    await run("ip", ["link", "set", name, "up"]);
  }
}
