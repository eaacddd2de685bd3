import { describe, expect, test } from "vitest";
import { freeDiskNumber, parseFileName, parseZfsName } from "../src/volumes/names.ts";
import { imageBytes } from "../src/volumes/zfspool.ts";

describe("volume names", () => {
  test("of a ZFS pool", () => {
    expect(parseZfsName("subvol-910-disk-0")).toEqual({
      name: "subvol-910-disk-0",
      owner: 910,
      isBase: false,
    });
    expect(parseZfsName("basevol-900-disk-0/subvol-902-disk-1")).toEqual({
      name: "subvol-902-disk-1",
      owner: 902,
      base: "basevol-900-disk-0",
      isBase: false,
    });
    expect(parseZfsName("basevol-900-disk-0").isBase).toBe(true);
    for (const name of ["", "../subvol-1-disk-0", "subvol-x-disk-0", "a/b/c"])
      expect(() => parseZfsName(name)).toThrow(`unable to parse zfs volume name '${name}'`);
  });

  test("of image files", () => {
    expect(parseFileName("910/vm-910-disk-0.raw")).toEqual({
      name: "vm-910-disk-0.raw",
      owner: 910,
      isBase: false,
    });
    expect(() => parseFileName("910/../../etc/passwd")).toThrow("unable to parse directory volume name");
  });

  test("the lowest free number counts every kind of volume of the guest and no other's", () => {
    const taken = ["basevol-900-disk-0", "subvol-900-disk-2", "subvol-9001-disk-1", "x/subvol-900-disk-3"];
    expect(freeDiskNumber(900, taken)).toBe(1);
    expect(freeDiskNumber(901, taken)).toBe(0);
  });

  test("an image leaves room in its quota", () => {
    const bytes = imageBytes(4 * 1024 ** 3);
    expect(bytes % 4096).toBe(0);
    expect(bytes).toBeLessThan(4 * 1024 ** 3);
    expect(bytes).toBeGreaterThan(4 * 1024 ** 3 * 0.98);
  });
});
