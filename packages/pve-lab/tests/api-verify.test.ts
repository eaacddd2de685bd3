import { describe, expect, it } from "vitest";
import { describe as describedRoute } from "../src/api/description.ts";
import { Router } from "../src/api/router.ts";
import { splitList } from "../src/core/lists.ts";
import { ApiError } from "../src/core/route.ts";
import { parseSections, writeSections } from "../src/core/section-config.ts";
import { formatUpid, parseUpid } from "../src/core/upid.ts";
import { formatUserConfig, parseUserConfig } from "../src/core/user-config.ts";
import { verifyParameters } from "../src/core/verify.ts";

const CREATE = "POST /nodes/{node}/lxc";
const valid = { node: "pve", vmid: "900", ostemplate: "local:vztmpl/debian.tar.zst" };

function verify(values: Record<string, unknown>, route = CREATE): Record<string, unknown> {
  const described = describedRoute(route);
  if (!described) throw new Error(`no ${route}`);
  return verifyParameters(described.parameters, values);
}

function errorsOf(values: Record<string, unknown>, route = CREATE): Readonly<Record<string, string>> {
  try {
    verify(values, route);
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return error.errors ?? {};
    throw error;
  }
  return {};
}

describe("parameters of a container", () => {
  it("come out typed", () => {
    const typed = verify({
      ...valid,
      cores: "2",
      cpulimit: "0.5",
      onboot: "1",
      start: "0",
      unprivileged: "1",
      hostname: "a",
    });
    expect(typed).toMatchObject({
      vmid: 900,
      cores: 2,
      cpulimit: 0.5,
      onboot: true,
      start: false,
      unprivileged: true,
    });
  });

  it("take what the provider sends", () => {
    const sent = {
      ...valid,
      net0: "bridge=vmbr0,firewall=0,gw=10.0.0.13,ip=10.0.0.110/24,name=eth0",
      net31: "name=eth31,ip=dhcp,ip6=auto,hwaddr=BC:24:11:00:00:01,mtu=1400,rate=1.5,tag=7",
      mp0: "mp=/data,volume=local-zfs:8,backup=1,ro=0",
      rootfs: "acl=0,size=8589934592,volume=local-zfs:subvol-100-disk-0",
      dev0: "deny-write=0,path=/dev/net/tun,uid=0,gid=0,mode=0660",
      features: "nesting=1,keyctl=1,fuse=1",
      startup: "order=1,up=5,down=10",
      tags: "a;b",
      nameserver: "10.0.0.1 10.0.0.2",
      "ssh-public-keys": "ssh-ed25519 AAAA a\nssh-ed25519 BBBB b",
      description: "phoenix stack=dev vmid=910\n",
    };
    expect(errorsOf(sent)).toEqual({});
  });

  const cases: [string, string, string, string][] = [
    ["a text for a number", "cores", "many", "type check ('integer') failed - got 'many'"],
    ["too little", "memory", "8", "value must have a minimum value of 16"],
    ["too much", "cores", "9000", "value must have a maximum value of 8192"],
    ["a flag that is none", "onboot", "2", "type check ('boolean') failed - got '2'"],
    [
      "a word outside its list",
      "cmode",
      "gui",
      "value 'gui' does not have a value in the enumeration 'shell, console, tty'",
    ],
    [
      "a host name with a blank",
      "hostname",
      "a b",
      "invalid format - value does not look like a valid DNS name\n",
    ],
    ["a storage's name", "storage", "-x", "invalid format - storage ID '-x' contains illegal characters\n"],
    ["tags", "tags", "ok;not ok!", "invalid format - invalid characters in tag\n"],
    ["a startup order", "startup", "soon", "invalid format - unable to parse startup options\n"],
    [
      "an unknown key in a property string",
      "net0",
      "name=eth0,brdge=vmbr0",
      "invalid format - format error\nnet0.brdge: property is not defined in schema and the schema does not allow additional properties\n",
    ],
    [
      "a missing key in a property string",
      "net0",
      "bridge=vmbr0",
      "invalid format - format error\nnet0.name: property is missing and it is not optional\n",
    ],
    [
      "an address in a property string",
      "net0",
      "name=eth0,ip=10.0.0.1",
      "invalid format - format error\nnet0.ip: invalid format - value does not look like a valid ipv4 network configuration\n\n",
    ],
    [
      "a value without key",
      "net0",
      "eth0",
      "invalid format - value without key, but schema does not define a default key\n",
    ],
    [
      "a key twice",
      "net0",
      "name=eth0,name=eth1",
      "invalid format - duplicate key in comma-separated list property: name\n",
    ],
    [
      "an index beyond the last",
      "net32",
      "name=eth0",
      "property is not defined in schema and the schema does not allow additional properties",
    ],
    [
      "an index that is none",
      "mp01x",
      "x",
      "property is not defined in schema and the schema does not allow additional properties",
    ],
    [
      "an unknown name",
      "user_account",
      "x",
      "property is not defined in schema and the schema does not allow additional properties",
    ],
  ];
  it.each(cases)("refuse %s", (_what, name, value, text) => {
    expect(errorsOf({ ...valid, [name]: value })).toEqual({ [name]: text });
  });

  it("refuse what only creation knows, in an update", () => {
    const errors = errorsOf(
      { node: "pve", vmid: "900", ostemplate: "x", password: "secret" },
      "PUT /nodes/{node}/lxc/{vmid}/config",
    );
    expect(Object.keys(errors).sort()).toEqual(["ostemplate", "password"]);
  });

  it("report everything at once, and what needs another", () => {
    expect(Object.keys(errorsOf({ node: "pve", vmid: "7", cores: "x" })).sort()).toEqual([
      "cores",
      "ostemplate",
      "vmid",
    ]);
    const download = {
      node: "pve",
      storage: "local",
      content: "iso",
      filename: "a.iso",
      url: "http://h/a.iso",
      checksum: "0",
    };
    expect(errorsOf(download, "POST /nodes/{node}/storage/{storage}/download-url")).toEqual({
      "checksum-algorithm": "missing property - 'checksum' requires this property",
    });
  });

  it("take numbers and flags of JSON bodies, not lists for texts", () => {
    expect(verify({ ...valid, vmid: 900, cores: 2, onboot: true, unprivileged: 0 })).toMatchObject({
      vmid: 900,
      cores: 2,
      onboot: true,
      unprivileged: false,
    });
    expect(
      errorsOf({ ...valid, hostname: ["a"], description: true, tags: {}, cores: 1.5, memory: false }),
    ).toEqual({
      hostname: "type check ('string') failed - got ARRAY",
      description: "type check ('string') failed - got JSON::PP::Boolean",
      tags: "type check ('string') failed - got HASH",
      cores: "type check ('integer') failed - got '1.5'",
      memory: "type check ('integer') failed - got JSON::PP::Boolean",
    });
  });

  it("take lists where a list is meant, and keys without a value for nothing", () => {
    expect(verify({ ...valid, tags: ["a", "b"], nameserver: null })).toMatchObject({ tags: "a,b" });
    expect(errorsOf({ ...valid, ostemplate: null, nothing: null })).toEqual({
      ostemplate: "property is missing and it is not optional",
      nothing: "property is not defined in schema and the schema does not allow additional properties",
    });
  });

  it("check numbers as they were sent, and time zones by the list", () => {
    expect(errorsOf({ ...valid, vmid: 1.5 })).toEqual({ vmid: "type check ('integer') failed - got '1.5'" });
    expect(errorsOf({ ...valid, vmid: "0900" })).toEqual({
      vmid: "invalid format - value does not look like a valid VM ID\n",
    });
    expect(errorsOf({ ...valid, timezone: "Europe/Vienna" })).toEqual({});
    expect(errorsOf({ ...valid, timezone: "Europe/Nowhere" })).toEqual({
      timezone: "invalid format - invalid time zone 'Europe/Nowhere'\n",
    });
    const step = { storage: "x1", type: "dir", "saferemove-stepsize": "8" };
    expect(errorsOf(step, "POST /storage")).toEqual({});
  });

  it("spell flags freely inside property strings only", () => {
    expect(errorsOf({ ...valid, features: "nesting=yes,keyctl=Off,fuse=TRUE" })).toEqual({});
    expect(errorsOf({ ...valid, onboot: "on" })).toEqual({
      onboot: "type check ('boolean') failed - got 'on'",
    });
  });
});

describe("small things that everything stands on", () => {
  it("lists part as PVE's do", () => {
    expect(splitList("net1\0net2")).toEqual(["net1", "net2"]);
    expect(splitList("a, b;c  d")).toEqual(["a", "b", "c", "d"]);
    expect(splitList("")).toEqual([]);
  });

  it("UPIDs read back what was written", () => {
    const task = formatUpid({
      node: "pve",
      pid: 0x1234,
      pstart: 99,
      starttime: 0x6b000000,
      type: "vzcreate",
      id: "100",
      user: "a@pve!t",
    });
    expect(task.upid).toBe("UPID:pve:00001234:00000063:6B000000:vzcreate:100:a@pve!t:");
    expect(parseUpid(task.upid)).toEqual(task);
    expect(parseUpid("UPID:pve:1:2:3")).toBeUndefined();
  });

  it("section files read back what was written, flags without value included", () => {
    const text = "zfspool: tank\n\tpool tank/a b\n\tsparse\n\ndir: local\n\tpath /x\n\n";
    expect(parseSections(text)).toEqual([
      { type: "zfspool", id: "tank", options: { pool: "tank/a b", sparse: "1" } },
      { type: "dir", id: "local", options: { path: "/x" } },
    ]);
    expect(parseSections(writeSections(parseSections(text)))).toEqual(parseSections(text));
  });

  it("user.cfg reads back what was written, colons in texts included", () => {
    const text = formatUserConfig(
      parseUserConfig(
        "user:a@pve:1:0:A:B:a@b.c:x%3ay:k:\ntoken:a@pve!t:5:1:c:\nacl:1:/:a@pve,@g:R1,R2:\ngroup:g:a@pve:c:\n",
      ),
    );
    const config = parseUserConfig(text);
    expect(config.users.get("a@pve")).toMatchObject({ comment: "x:y", email: "a@b.c", enable: true });
    expect(config.users.get("a@pve")?.tokens.get("t")).toEqual({ expire: 5, privsep: true, comment: "c" });
    expect(config.acl).toHaveLength(4);
    expect(formatUserConfig(config)).toBe(text);
  });

  it("the router prefers fixed names and gives volumes their slashes", () => {
    const router = new Router<string>();
    router.add("GET", "/a/{id}", "variable");
    router.add("GET", "/a/fixed", "fixed");
    router.add("DELETE", "/s/{storage}/content/{volume}", "volume");
    expect(router.find(["a", "fixed"])?.entries.get("GET")).toBe("fixed");
    expect(router.find(["a", "other"])?.variables).toEqual({ id: "other" });
    expect(router.find(["s", "x", "content", "x:iso", "a.iso"])?.variables).toEqual({
      storage: "x",
      volume: "x:iso/a.iso",
    });
    expect(router.find(["a", "other", "more"])).toBeUndefined();
  });
});
