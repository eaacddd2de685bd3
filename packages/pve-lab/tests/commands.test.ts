/** The node's command line in Proxmox VE's words; expected texts follow PVE::CLIHandler, PVE::JSONSchema and Getopt::Long. */
import { describe, expect, it } from "vitest";
import { runTool, type Commands } from "../src/commands/cli.ts";
import { formatAnswer, formatOf } from "../src/commands/formatter.ts";
import { parseOptions, usageLine, type Arguments, type Syntax } from "../src/commands/getopt.ts";
import { cpusetTable, dfTable, rescanned, shortSize } from "../src/commands/pct-volumes.ts";
import { pct } from "../src/commands/pct.ts";
import { contentTable, statusTable } from "../src/commands/pvesm.ts";
import { pvesm } from "../src/commands/pvesm.ts";
import { pveum } from "../src/commands/pveum.ts";
import { parseConfig } from "../src/guests/config-file.ts";

const flag = { type: "boolean", optional: 1 };
const text = { type: "string", optional: 1 };
const syntax: Syntax = {
  properties: {
    vmid: { type: "integer" },
    memory: text,
    "net[n]": text,
    nameserver: text,
    start: flag,
    full: flag,
    delete: { ...text, format: "pve-configid-list" },
    forceStop: flag,
  },
  takes: ["vmid"],
  fixed: new Set(["node"]),
};

function parse(words: string, how: Syntax = syntax): Arguments & { readonly warned: readonly string[] } {
  const warned: string[] = [];
  try {
    return { ...parseOptions(words.split(" "), how, (line) => warned.push(line)), warned };
  } catch (error) {
    throw new Error([...warned, (error as Error).message].join("\n"), { cause: error });
  }
}

describe("options", () => {
  it("are read in all of their spellings, abbreviated, in any case, before and after the positional words", () => {
    expect(parse("910 -memory 512 --net0=name=eth0,ip=dhcp --start --full 0")).toMatchObject({
      positional: ["910"],
      options: { memory: ["512"], net0: ["name=eth0,ip=dhcp"], start: ["1"], full: ["0"] },
    });
    expect(parse("--mem 256 910 --FORCESTOP --NET31 x").options).toEqual({
      memory: ["256"],
      forceStop: ["1"],
      net31: ["x"],
    });
    expect(parse("910 --delete net0 --delete net1,mp0 --memory 1 --memory 2").options).toEqual({
      delete: ["net0,net1,mp0"],
      memory: ["2"],
    });
    expect(parse("910 --memory -5").options).toEqual({ memory: ["-5"] });
  });

  it("a boolean takes the next word unless that is an option", () => {
    expect(parse("910 --start yes --full").options).toEqual({ start: ["1"], full: ["1"] });
    expect(() => parse("--start 910")).toThrow("400 not enough arguments");
    expect(() => parse("910 --start maybe")).toThrow("400 unable to parse boolean option");
  });

  it("faults are named one per line before the error", () => {
    expect(() => parse("910 --foo 1 --memory")).toThrow(
      "Unknown option: foo\nOption memory requires an argument\n400 unable to parse option",
    );
    expect(() => parse("910 --n 1")).toThrow(
      "Option n is ambiguous (nameserver, net0)\n400 unable to parse option",
    );
    expect(() => parse("910 --net32 x")).toThrow("Unknown option: net32");
    expect(() => parse("910 --node x")).toThrow("Unknown option: node");
    expect(() => parse("910 911")).toThrow("400 too many arguments");
  });

  it("extra words go to a command that takes them", () => {
    const exec: Syntax = {
      properties: { vmid: {}, "extra-args": { type: "array", optional: 1 } },
      takes: ["vmid", "extra-args"],
      fixed: new Set(),
    };
    expect(parse("910 -- ls -l", exec).positional).toEqual(["910", "ls", "-l"]);
    expect(usageLine("pct exec", exec)).toBe("pct exec <vmid> [<extra-args>]");
  });
});

/** What a tool prints, or its error. */
async function said(
  tool: (command: Parameters<typeof pct>[0]) => Promise<void>,
  words: string,
): Promise<string> {
  let out = "";
  const args = words === "" ? [] : words.split(" ");
  try {
    await tool({ node: "pve", args, print: (line) => (out += line) });
    return out;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("commands", () => {
  it("without or with an unknown command: the error and the overview, grouped by class", async () => {
    const lines = (await said(pct, "")).split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "ERROR: no command specified",
      "USAGE: pct <COMMAND> [ARGS] [OPTIONS]",
      "",
      "       pct clone <vmid> <newid> [OPTIONS]",
    ]);
    expect(lines).toContain(
      "       pct move-volume <vmid> <volume> [<storage>] [<target-vmid>] [<target-volume>] [OPTIONS]",
    );
    expect(lines).toContain("       pct list ");
    expect(lines.at(-2)).toBe("");
    expect(lines.at(-1)).toBe("       pct help [<extra-args>] [OPTIONS]");
    expect(await said(pct, "foo")).toContain("ERROR: unknown command 'pct foo'\nUSAGE: pct <COMMAND>");
    expect(await said(pveum, "user")).toContain("ERROR: incomplete command 'pveum user'\n");
    expect(await said(pveum, "user token fly")).toContain("ERROR: unknown command 'pveum user token fly'\n");
  });

  it("name their usage below a fault of the caller's", async () => {
    expect(await said(pct, "start")).toBe("400 not enough arguments\npct start <vmid> [OPTIONS]");
    expect(await said(pct, "stat")).toBe("400 not enough arguments\npct status <vmid> [OPTIONS]");
    expect(await said(pct, "sta 100")).toContain("ERROR: incomplete command 'pct sta'");
    expect(await said(pct, "df abc")).toBe(
      "400 Parameter verification failed.\nvmid: type check ('integer') failed - got 'abc'\npct df <vmid>",
    );
    expect(await said(pvesm, "alloc a 1")).toBe(
      "400 not enough arguments\npvesm alloc <storage> <vmid> <filename> <size> [OPTIONS]",
    );
    expect(await said(pveum, "aclmod")).toBe(
      "400 not enough arguments\npveum acl modify <path> --roles <string> [OPTIONS]",
    );
    expect(await said(pveum, "user token add a@pve")).toBe(
      "400 not enough arguments\npveum user token add <userid> <tokenid> [OPTIONS] [FORMAT_OPTIONS]",
    );
  });

  it("help shows one command's line or a group's", async () => {
    expect(await said(pct, "help config")).toBe("USAGE: pct config <vmid> [OPTIONS]\n");
    expect(await said(pvesm, "help scan")).toBe("USAGE: pvesm scan zfs \n");
  });

  it("an error that is no fault of the caller's has no usage", async () => {
    const commands: Commands = {
      fail: { class: "x", run: () => Promise.reject(new Error("CT is locked (disk)")) },
    };
    expect(await said((command) => runTool("tool", commands, command), "fail")).toBe("CT is locked (disk)");
  });
});

describe("answers as text", () => {
  const rows = [
    { id: "b", size: 5, note: "one\ntwo" },
    { id: "a", size: 1000 },
  ];
  const ascii = formatOf({}, {});

  it("have borders in the terminal's character set; numbers to the right, a cell may have lines", () => {
    expect(formatAnswer(rows, ascii, ["id", "size", "note"])).toBe(
      [
        "+----+------+------+",
        "| id | size | note |",
        "+====+======+======+",
        "| a  | 1000 |      |",
        "+----+------+------+",
        "| b  |    5 | one  |",
        "|    |      | two  |",
        "+----+------+------+",
        "",
      ].join("\n"),
    );
    expect(formatAnswer({ version: "8.4.1" }, formatOf({}, { LANG: "de_AT.UTF-8" }))).toBe(
      "┌─────────┬───────┐\n│ key     │ value │\n╞═════════╪═══════╡\n│ version │ 8.4.1 │\n└─────────┴───────┘\n",
    );
  });

  it("without border and header only the cells are left; nothing is printed for an empty list", () => {
    const bare = formatOf({ noborder: ["1"], noheader: ["1"] }, {});
    expect(formatAnswer(rows, bare, ["id", "size"])).toBe("a  1000\nb  5\n");
    expect(formatAnswer([], ascii)).toBe("");
    expect(formatAnswer(["yyyyy", "x"], ascii)).toBe(
      "+-------+\n| x     |\n+-------+\n| yyyyy |\n+-------+\n",
    );
  });

  it("as JSON and YAML with sorted keys", () => {
    expect(formatAnswer({ b: 1, a: [true] }, formatOf({ "output-format": ["json"] }))).toBe(
      '{"a":[true],"b":1}\n',
    );
    expect(formatAnswer({ b: { c: "1" }, a: ["x", { y: 2 }] }, formatOf({ "output-format": ["yaml"] }))).toBe(
      "---\na:\n- x\n- 'y': 2\nb:\n  c: '1'\n",
    );
  });
});

describe("tables of their own", () => {
  it("pvesm status", () => {
    const storages = [
      { storage: "local", type: "dir", enabled: 1, active: 1, total: 2048, used: 1024, avail: 1024 },
      { storage: "off", type: "zfspool", enabled: 0 },
    ];
    expect(statusTable(storages)).toBe(
      "Name         Type     Status           Total            Used       Available        %\n" +
        "local         dir     active               2               1               1   50.00%\n" +
        "off       zfspool   disabled               0               0               0      N/A\n",
    );
  });

  it("pvesm list", () => {
    const volumes = [
      { volid: "local:iso/a.iso", format: "iso", content: "iso", size: 4096 },
      { volid: "local:vm-1", format: "subvol", content: "rootdir", size: 1, vmid: 101 },
    ];
    expect(contentTable(volumes)).toBe(
      "Volid           Format  Type      Size VMID\n" +
        "local:vm-1      subvol  rootdir      1 101\n" +
        "local:iso/a.iso iso     iso       4096\n",
    );
  });

  it("pct df and pct cpusets", () => {
    expect([512, 1536, 3 * 1024 ** 3, 5 * 1024 ** 4].map(shortSize)).toEqual(["512", "1.5K", "3.0G", "5.0T"]);
    expect(dfTable([["rootfs", "store:subvol-1-disk-0", "2.0G", "512.0M", "1.5G", "25.0", "/"]])).toBe(
      "MP     Volume                Size   Used Avail Use% Path\n" +
        "rootfs store:subvol-1-disk-0 2.0G 512.0M  1.5G 25.0 /\n",
    );
    expect(cpusetTable([])).toBe("no running containers\n");
    expect(cpusetTable([{ vmid: 101, cpus: "0-1,3" }])).toBe("-------------\n101:  0 1   3\n-------------\n");
  });

  it("pct rescan: sizes, and volumes of the guest that nothing names", () => {
    const config = parseConfig(
      "rootfs: store:subvol-101-disk-0,size=1G\nmp0: store:subvol-101-disk-1,mp=/x\n",
    );
    const volume = (number: number, size: number) => ({
      volid: `store:subvol-101-disk-${number}`,
      vmid: 101,
      size,
      format: "subvol" as const,
      content: "rootdir" as const,
    });
    const found = [volume(0, 2 * 1024 ** 3), volume(1, 1024 ** 3), volume(2, 1024 ** 3)];
    expect(rescanned(101, config, found)).toEqual([
      "CT 101: add unreferenced volume 'store:subvol-101-disk-2' as 'unused0' to config.",
      "CT 101: updated volume size of 'store:subvol-101-disk-0' in config.",
      "CT 101: updated volume size of 'store:subvol-101-disk-1' in config.",
    ]);
    expect(config.values).toMatchObject({
      rootfs: "store:subvol-101-disk-0,size=2G",
      mp0: "store:subvol-101-disk-1,mp=/x,size=1G",
      unused0: "store:subvol-101-disk-2",
    });
    expect(rescanned(101, config, found)).toEqual([]);
  });
});
