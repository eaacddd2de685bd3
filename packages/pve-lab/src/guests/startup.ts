import { parsePropertyString } from "../core/property-string.ts";

/** Order of guests at the node's start and end, from `onboot` and `startup: order=1,up=30,down=60`. */
export interface StartEntry {
  readonly vmid: number;
  readonly values: Readonly<Record<string, string>>;
}

interface Startup {
  readonly order: number;
  /** Seconds to wait after the start. */
  readonly up: number;
  /** Seconds that it gets to shut down. */
  readonly down: number;
}

// Guests without an order come last at the start and go first at the end.
const LAST = Number.MAX_SAFE_INTEGER;

export function parseStartup(text: string | undefined): Startup {
  const { order, up, down } = parsePropertyString(text ?? "", "order");
  return {
    order: order === undefined ? LAST : Number(order),
    up: Number(up ?? 0),
    down: Number(down ?? 180),
  };
}

/** Guests to start after the node has started, lowest order first, equal ones by vmid. */
export function bootOrder(guests: readonly StartEntry[]): { vmid: number; delay: number }[] {
  return guests
    .filter(({ values }) => values["onboot"] === "1" && values["template"] !== "1")
    .map(({ vmid, values }) => ({ vmid, startup: parseStartup(values["startup"]) }))
    .sort((a, b) => a.startup.order - b.startup.order || a.vmid - b.vmid)
    .map(({ vmid, startup }) => ({ vmid, delay: startup.up }));
}

/** Guests to shut down before the node does: the other way round. */
export function stopOrder(guests: readonly StartEntry[]): { vmid: number; timeout: number }[] {
  return guests
    .map(({ vmid, values }) => ({ vmid, startup: parseStartup(values["startup"]) }))
    .sort((a, b) => b.startup.order - a.startup.order || b.vmid - a.vmid)
    .map(({ vmid, startup }) => ({ vmid, timeout: startup.down }));
}
