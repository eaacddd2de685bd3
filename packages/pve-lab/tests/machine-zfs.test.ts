import { describe, expect, it } from "vitest";
import { UsageError, parseOptions, splitProperty } from "../src/image/zfs/options.ts";
import { emulated, findEmulated, fullName, show, translate } from "../src/image/zfs/properties.ts";
import { humanSize, parseSize } from "../src/image/zfs/sizes.ts";
import { renderTable } from "../src/image/zfs/table.ts";
import { diskName, parseVdev, rewriteConfig } from "../src/image/zfs/vdevs.ts";

function refuse(reason: string): never {
  throw new Error(reason);
}

describe("properties that OpenZFS has and zfs-fuse has not", () => {
  it("keeps the asked value and sets the nearest", () => {
    expect(translate("compression", "zstd-3", refuse)).toEqual([
      ["lab:asked-compression", "zstd-3"],
      ["compression", "lzjb"],
    ]);
    expect(translate("recordsize", "1M", refuse)).toEqual([
      ["lab:asked-recordsize", "1048576"],
      ["recordsize", "131072"],
    ]);
    expect(translate("sync", "disabled", refuse)).toEqual([["lab:asked-sync", "disabled"]]);
    expect(translate("acltype", "posixacl", refuse)).toEqual([["lab:asked-acltype", "posix"]]);
  });

  it("passes on what zfs-fuse knows, and user properties", () => {
    expect(translate("phoenix:stack", "dev", refuse)).toEqual([["phoenix:stack", "dev"]]);
    expect(translate("compress", "gzip-6", refuse)).toContainEqual(["compression", "gzip-6"]);
    expect(translate("quota", "4G", refuse)).toEqual([["quota", "4G"]]);
    expect(fullName("avail")).toBe("available");
  });

  it("refuses what OpenZFS refuses", () => {
    for (const [name, value] of [
      ["compression", "lz5"],
      ["compression", "zstd-20"],
      ["compression", "zstd-fast-11"],
      ["recordsize", "3M"],
      ["recordsize", "32M"],
      ["sync", "off"],
      ["encryption", "on"],
      ["xattr", "yes"],
      ["lab:asked-sync", "always"],
    ] as const) {
      expect(() => translate(name, value, refuse), `${name}=${value}`).toThrow(name);
    }
  });

  it("has a nearest value or a default for every one of them", () => {
    for (const property of emulated) {
      expect(property.nearest !== undefined || property.fallback !== undefined, property.name).toBe(true);
      if (property.fallback !== undefined)
        expect(property.normalise(property.fallback), property.name).toBe(property.fallback);
    }
  });

  it("shows sizes as zfs does", () => {
    const property = findEmulated("recordsize");
    if (property === undefined) throw new Error("recordsize is gone");
    expect(show(property, "1048576", false)).toBe("1M");
    expect(show(property, "1048576", true)).toBe("1048576");
    expect(humanSize(8525510083)).toBe("7.94G");
    expect(parseSize("1.5GiB")).toBe(1_610_612_736);
    expect(parseSize("12X")).toBeUndefined();
  });
});

describe("command lines", () => {
  it("takes options before, between and after operands, values attached or not", () => {
    const options = parseOptions(["-Hp", "-oname,value", "all", "-d", "1", "tank", "--", "-x"], "Hpo:d:");
    expect(options.has("H") && options.has("p")).toBe(true);
    expect(options.last("o")).toBe("name,value");
    expect(options.last("d")).toBe("1");
    expect(options.operands).toEqual(["all", "tank", "-x"]);
  });

  it("refuses unknown options and missing values", () => {
    expect(() => parseOptions(["-q"], "H")).toThrow(UsageError);
    expect(() => parseOptions(["-o"], "o:")).toThrow(UsageError);
    expect(() => splitProperty("=x")).toThrow(UsageError);
    expect(splitProperty("a=b=c")).toEqual(["a", "b=c"]);
  });
});

describe("output", () => {
  const status = [
    "config:",
    "",
    "\tNAME                                    STATE     READ WRITE CKSUM",
    "\tt                                       ONLINE       0     0     0",
    "\t  mirror-0                              ONLINE       0     0     0",
    "\t    disk/by-id/scsi-PHOENIX_LAB_DISK_1  ONLINE       0     0     0",
    "",
  ].join("\n");

  it("names disks as OpenZFS does, with and without -P", () => {
    const names = (full: boolean): (string | undefined)[] =>
      rewriteConfig(status, full, false)
        .split("\n")
        .map((line) => parseVdev(line)?.name)
        .filter((name) => name !== undefined);
    expect(names(false)).toEqual(["t", "mirror-0", "scsi-PHOENIX_LAB_DISK_1"]);
    expect(names(true)).toEqual(["t", "mirror-0", "/dev/disk/by-id/scsi-PHOENIX_LAB_DISK_1"]);
    expect(diskName("/var/lib/file.img", false, false)).toBe("/var/lib/file.img");
  });

  it("prints tabs for scripts and aligned columns for people", () => {
    const columns = [{ title: "NAME" }, { title: "USED", right: true }];
    expect(renderTable(columns, [["t", "1K"]], true)).toBe("t\t1K\n");
    expect(renderTable(columns, [["tank", "1K"]], false)).toBe("NAME  USED\ntank    1K\n");
  });
});
