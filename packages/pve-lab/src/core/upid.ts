/** A task's identity as PVE writes it: `UPID:node:pid:pstart:starttime:type:id:user:`, numbers hexadecimal. */
export interface Upid {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  /** Seconds since the epoch. */
  readonly starttime: number;
  readonly type: string;
  readonly id: string;
  readonly user: string;
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, "0");

export function formatUpid(parts: Omit<Upid, "upid">): Upid {
  const { node, pid, pstart, starttime, type, id, user } = parts;
  return {
    ...parts,
    upid: `UPID:${node}:${hex(pid)}:${hex(pstart)}:${hex(starttime)}:${type}:${id}:${user}:`,
  };
}

const PATTERN =
  /^UPID:([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8,9}):([^:\s/]+):([^:\s/]*):([^:\s/]+):$/;

/** The parts, or nothing when the text is no UPID. */
export function parseUpid(upid: string): Upid | undefined {
  const [, node, pid, pstart, starttime, type, id, user] = PATTERN.exec(upid) ?? [];
  if (node === undefined || pid === undefined || pstart === undefined || starttime === undefined)
    return undefined;
  if (type === undefined || id === undefined || user === undefined) return undefined;
  const number = (text: string): number => Number.parseInt(text, 16);
  return {
    upid,
    node,
    pid: number(pid),
    pstart: number(pstart),
    starttime: number(starttime),
    type,
    id,
    user,
  };
}
