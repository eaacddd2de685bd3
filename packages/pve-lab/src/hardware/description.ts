import { createHash } from "node:crypto";
import { Ajv } from "ajv";
import { Failure } from "../machine/steps.ts";

/** One graphics card as a person describes it in hardware.json; what is left out gets the default. */
export interface ToldGpu {
  readonly name?: string;
  /** PCI device id, e.g. `0x2204`. */
  readonly device?: string;
  readonly memory_mib?: number;
}

/** What lies on a disk when the lab first has it. */
export const diskContents = ["blank", "partitions", "ext4", "xfs", "swap", "pool", "mounted"] as const;
export type DiskContent = (typeof diskContents)[number];

/** One disk as a person describes it; what is left out gets the default. */
export interface ToldDisk {
  /** First word of the name below /dev/disk/by-id. */
  readonly bus?: "scsi" | "ata" | "nvme";
  readonly model?: string;
  readonly serial?: string;
  readonly size_gib?: number;
  readonly content?: DiskContent;
}

/** Major versions of Proxmox VE that the node can say it is. */
export const pveVersions = [8, 9] as const;
export type PveVersion = (typeof pveVersions)[number];

/** What a person tells the lab about itself, its hardware above all: hardware.json in the lab's state directory. */
export interface ToldHardware {
  /** Major version of Proxmox VE that the node says it is; default: 8. */
  readonly pve?: PveVersion;
  /** A number of equal cards, or one entry per card. */
  readonly gpus?: number | readonly ToldGpu[];
  /** Release of the kernel that the node shows from its next start on; default: the newest with headers. */
  readonly kernel?: string;
  /** All disks; default: four blank ones of 8 GiB. */
  readonly disks?: readonly ToldDisk[];
}

/** One graphics card of the node, everything known. */
export interface Gpu {
  readonly index: number;
  /** PCI address, e.g. `0000:01:00.0`. */
  readonly address: string;
  readonly name: string;
  readonly device: string;
  readonly memoryMiB: number;
  readonly uuid: string;
}

/** One disk of the node, everything known. */
export interface Disk {
  /** Counted from 1; its image is disk-<number>.img. */
  readonly number: number;
  /** Name below /dev/disk/by-id. */
  readonly id: string;
  readonly model: string;
  readonly serial: string;
  readonly bytes: number;
  readonly content: DiskContent;
}

/** The node's hardware: /etc/pve-lab/hardware.json in the node. */
export interface Hardware {
  /** Missing in a node that an older checkout wrote. */
  readonly pve?: PveVersion;
  readonly gpus: readonly Gpu[];
  readonly kernel: string | undefined;
  readonly disks: readonly Disk[];
}

const card = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string", pattern: "^[A-Za-z0-9 ._()-]{1,64}$" },
    device: { type: "string", pattern: "^0x[0-9a-f]{4}$" },
    memory_mib: { type: "integer", minimum: 1 },
  },
};

// Words without blanks or underscores at the end: udev joins model and serial with one.
const disk = {
  type: "object",
  additionalProperties: false,
  properties: {
    bus: { enum: ["scsi", "ata", "nvme"] },
    model: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$" },
    serial: { type: "string", pattern: "^[A-Za-z0-9.-]{1,20}$" },
    size_gib: { type: "integer", minimum: 1, maximum: 16_384 },
    content: { enum: diskContents },
  },
};

const schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    pve: { enum: pveVersions },
    gpus: {
      anyOf: [
        { type: "integer", minimum: 0, maximum: 16 },
        { type: "array", maxItems: 16, items: card },
      ],
    },
    disks: { type: "array", minItems: 1, maxItems: 24, items: disk },
    kernel: { type: "string", pattern: "^[0-9]+\\.[0-9]+[A-Za-z0-9.+~_-]*$" },
  },
};

/** Reads what a person told. @throws Failure that names the place for anything that is not understood */
export function parseTold(text: string, file: string): ToldHardware {
  const told = parseShape(text, file);
  resolveHardware(told);
  return told;
}

function parseShape(text: string, file: string): ToldHardware {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${file} is no JSON: ${(error as Error).message}`, "correct it, then `lab up` again");
  }
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile<ToldHardware>(schema);
  if (validate(value)) return value;
  const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const extra = params["additionalProperty"] as string | undefined;
    return `${instancePath === "" ? "/" : instancePath} ${message ?? "is wrong"}${extra === undefined ? "" : ` (${extra})`}`;
  });
  throw new Failure(
    `${file}: ${faults.join("; ")}`,
    "docs/lab.md says what can be told; then `lab up` again",
  );
}

/** A card that Debian's driver 535 supports; its name says everywhere that it is none. */
const usualCard = { name: "NVIDIA GeForce RTX 3090 (simulated)", device: "0x2204", memory_mib: 24_576 };

/** Looks like a card's UUID and is the same in every lab. */
function uuidOf(index: number): string {
  const hex = createHash("sha256").update(`phoenix lab gpu ${index}`).digest("hex");
  return `GPU-${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-")}`;
}

function resolveDisks(told: readonly ToldDisk[]): Disk[] {
  const disks = told.map(
    ({ bus = "scsi", model = "PHOENIX_LAB_DISK", serial, size_gib = 8, content = "blank" }, index): Disk => {
      const own = serial ?? String(index + 1);
      return {
        number: index + 1,
        id: `${bus}-${model}_${own}`,
        model,
        serial: own,
        bytes: size_gib * 1024 ** 3,
        content,
      };
    },
  );
  for (const { id, number } of disks) {
    const other = disks.find((one) => one.id === id && one.number !== number);
    if (other !== undefined)
      throw new Failure(
        `disks ${number} and ${other.number} are both ${id}`,
        "give each a serial of its own",
      );
  }
  return disks;
}

/** Fills in what was not told. */
export function resolveHardware(told: ToldHardware): Hardware {
  const cards: readonly ToldGpu[] =
    typeof told.gpus === "number" ? Array.from({ length: told.gpus }, () => ({})) : (told.gpus ?? []);
  return {
    pve: told.pve ?? 8,
    gpus: cards.map((one, index) => {
      const { name, device, memory_mib } = { ...usualCard, ...one };
      const bus = (index + 1).toString(16).padStart(2, "0");
      return {
        index,
        address: `0000:${bus}:00.0`,
        name: name.endsWith("(simulated)") ? name : `${name} (simulated)`,
        device,
        memoryMiB: memory_mib,
        uuid: uuidOf(index),
      };
    }),
    kernel: told.kernel,
    disks: resolveDisks(told.disks ?? [{}, {}, {}, {}]),
  };
}
