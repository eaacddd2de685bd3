import type { DiskFacts, Gpu, GuestFacts, NodeFacts, StorageFacts } from "./facts.ts";

const separator = "\u001e";

/** The survey's parts by name; `members tank` and the like come once for each thing. */
function partsOf(text: string): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const part of text.split(separator).slice(1)) {
    const [name = "", ...lines] = part.split("\n");
    parts.set(
      name,
      lines.map((line) => line.trimEnd()).filter((line) => line !== ""),
    );
  }
  return parts;
}

/** Reads what survey.sh prints. Undefined where it did not come to its end. */
export function readSurvey(text: string): NodeFacts | undefined {
  const parts = partsOf(text);
  if (!parts.has("end")) return undefined;
  const lines = (name: string): string[] => parts.get(name) ?? [];
  const first = (name: string): string => lines(name)[0] ?? "";
  const named = (kind: string): string[] =>
    [...parts.keys()].filter((key) => key.startsWith(`${kind} `)).map((key) => key.slice(kind.length + 1));
  return {
    userId: Number(first("user")),
    hostname: first("hostname").split(".")[0] ?? "",
    version: first("version"),
    kernel: first("kernel"),
    kernels: lines("kernels"),
    headers: lines("headers"),
    headersOffered: lines("headers-offered"),
    nouveau: first("nouveau") === "yes",
    processors: Number(first("processors")),
    memoryBytes: Number(first("memory")),
    space: lines("space")
      .slice(1)
      .map((line) => line.split(/\s+/))
      .map((cells) => ({ mount: cells.slice(5).join(" "), freeBytes: Number(cells[3]) * 1024 }))
      .filter(({ mount }, i, all) => all.findIndex((other) => other.mount === mount) === i),
    bridges: lines("bridges"),
    addresses: lines("addresses").flatMap((line) => {
      const [, device = "", , address = ""] = line.split(/\s+/);
      return device === "" || device === "lo" ? [] : [{ device, address }];
    }),
    gpus: gpusOf(lines("pci"), lines("nvidia")),
    pools: lines("pools").map((line) => {
      const [name = "", size, free, health = ""] = line.split("\t");
      return {
        name,
        sizeBytes: Number(size),
        freeBytes: Number(free),
        health,
        members: lines(`members ${name}`),
      };
    }),
    importable: lines("importable"),
    datasets: lines("datasets").map((line) => {
      const [name = "", available, stack = "-"] = line.split("\t");
      return { name, availableBytes: Number(available), ...(stack === "-" ? {} : { stack }) };
    }),
    storages: storagesOf(first("storages"), lines("usage")),
    guests: guestsOf(named("guest").map((file) => [file, lines(`guest ${file}`)])),
    disks: named("disk").map((device) =>
      diskOf(device, first(`disk ${device}`), lines(`identities ${device}`), lines(`found ${device}`)),
    ),
  };
}

/** Display controllers of `lspci -mm`, joined with what nvidia-smi knows of their driver. */
function gpusOf(pci: readonly string[], nvidia: readonly string[]): Gpu[] {
  const driver = nvidia[0]?.split(", ").at(-1);
  return pci.flatMap((line) => {
    const [, address = "", kind = "", vendor = "", device = ""] =
      /^(\S+) "([^"]*)" "([^"]*)" "([^"]*)"/.exec(line) ?? [];
    if (!/\[03[0-9a-f]{2}\]/i.test(kind)) return [];
    const isNvidia = /\[10de\]/i.test(vendor);
    const name = `${plain(vendor)} ${plain(device)}`;
    return [{ pci: address, name, ...(isNvidia && driver !== undefined ? { driver } : {}) }];
  });
}

const plain = (text: string): string => text.replace(/ \[[0-9a-f]{4}\]$/i, "");

interface StorageEntry {
  readonly storage: string;
  readonly type: string;
  readonly content?: string;
  readonly pool?: string;
  readonly path?: string;
}

function storagesOf(json: string, usage: readonly string[]): StorageFacts[] {
  const entries = json.startsWith("[") ? (JSON.parse(json) as StorageEntry[]) : [];
  const rows = new Map(usage.map((line) => line.trim().split(/\s+/)).map((cells) => [cells[0], cells]));
  return entries.map(({ storage: id, type, content = "", pool, path }) => {
    const row = rows.get(id);
    return {
      id,
      type,
      content: content.split(",").filter((kind) => kind !== ""),
      place: pool ?? path ?? "",
      active: row?.[2] === "active",
      freeBytes: Number(row?.[5] ?? 0) * 1024,
    };
  });
}

function guestsOf(files: readonly (readonly [string, readonly string[]])[]): GuestFacts[] {
  const guests = files.map(([file, lines]): GuestFacts => {
    const vmid = Number(/(\d+)\.conf$/.exec(file)?.[1]);
    const text = lines.join("\n");
    const mark = /^#phoenix stack=(\S+) vmid=(\d+) /m.exec(decoded(text));
    // PVE copies descriptions on clone: a mark counts only with the guest's own number.
    const own = mark !== null && Number(mark[2]) === vmid ? { stack: mark[1] ?? "" } : {};
    return {
      vmid,
      kind: file.includes("/qemu-server/") ? "virtual machine" : "container",
      name: /^(?:hostname|name): (.*)$/m.exec(text)?.[1] ?? "",
      ...own,
    };
  });
  return guests.toSorted((a, b) => a.vmid - b.vmid);
}

const decoded = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_match, code: string) => String.fromCharCode(parseInt(code, 16)));

function diskOf(
  device: string,
  row: string,
  identities: readonly string[],
  found: readonly string[],
): DiskFacts {
  const field = (name: string): string =>
    (new RegExp(`(?:^| )${name}="([^"]*)"`).exec(row)?.[1] ?? "")
      .replace(/\\x([0-9a-f]{2})/gi, (_match, code: string) => String.fromCharCode(parseInt(code, 16)))
      .trim();
  const identity = bestIdentity(identities);
  return {
    device,
    ...(identity === undefined ? {} : { identity }),
    identities,
    model: field("MODEL"),
    serial: field("SERIAL"),
    sizeBytes: Number(field("SIZE")),
    found,
  };
}

/** Names with model and serial tell a person which disk is meant; numbers of the world-wide kind do not. */
export function bestIdentity(identities: readonly string[]): string | undefined {
  const unreadable = /\/(?:wwn-|nvme-eui\.|nvme-nvme\.|nvme-uuid\.|scsi-[0-9a-f]{17,}$|dm-|lvm-|md-)/;
  const usable = identities.filter((name) => !/\/(?:dm|lvm|md)-/.test(name));
  const readable = usable.filter((name) => !unreadable.test(name));
  // An NVMe disk has a second name that ends in its namespace: the shorter one is the disk's.
  return (readable.length > 0 ? readable : usable).toSorted(
    (a, b) => a.length - b.length || (a < b ? -1 : 1),
  )[0];
}
