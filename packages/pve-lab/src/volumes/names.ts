import { ApiError } from "../core/route.ts";

/** A volume's name on its storage taken apart, e.g. `basevol-900-disk-0/subvol-902-disk-0`. */
export interface VolumeName {
  /** Without the base in front: name of the dataset or file. */
  readonly name: string;
  readonly owner: number;
  /** Name of the base volume that this one is a linked clone of. */
  readonly base?: string;
  readonly isBase: boolean;
}

/** Names on a `zfspool` storage. @throws ApiError 500 `unable to parse zfs volume name 'x'` */
export function parseZfsName(text: string): VolumeName {
  const match = /^(?:((?:base|basevol)-\d+-[^\s/]+)\/)?((base|basevol|vm|subvol)-(\d+)-[^\s/]+)$/.exec(text);
  if (match?.[2] === undefined) throw new ApiError(500, `unable to parse zfs volume name '${text}'`);
  return describe(match);
}

/** Image files on a `dir` storage. @throws ApiError 500 `unable to parse directory volume name 'x'` */
export function parseFileName(text: string): VolumeName {
  const match = /^(?:(\d+\/base-\d+-[^\s/]+)\/)?\d+\/((base|vm)-(\d+)-[^\s/]+\.raw)$/.exec(text);
  if (match?.[2] === undefined) throw new ApiError(500, `unable to parse directory volume name '${text}'`);
  return describe(match);
}

function describe([, base, name = "", kind = "", owner = ""]: RegExpExecArray): VolumeName {
  return {
    name,
    owner: Number(owner),
    ...(base === undefined ? {} : { base }),
    isBase: kind.startsWith("base"),
  };
}

/** Lowest free number N for `…-<vmid>-disk-N`, counting every kind of volume of this guest. */
export function freeDiskNumber(vmid: number, taken: readonly string[]): number {
  const used = new Set<number>();
  for (const name of taken) {
    const match = /(?:^|\/)(?:base|basevol|vm|subvol)-(\d+)-disk-(\d+)/.exec(name);
    if (Number(match?.[1]) === vmid) used.add(Number(match?.[2]));
  }
  let number = 0;
  while (used.has(number)) number++;
  return number;
}
