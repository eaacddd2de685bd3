import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";

// Every prerequisite that `lab preflight` (and so `bin/phoenix try`) names, taken away from this machine for one look:
// each in a mount namespace of its own, so that the machine itself keeps everything.

const main = resolve(import.meta.dirname, "../src/main.ts");
const room = mkdtempSync("/var/tmp/phoenix-preflight-");
afterAll(() => rmSync(room, { recursive: true, force: true }));

interface Look {
  /** Shell commands that take something away. */
  readonly without?: string;
  /** Words before `node`. */
  readonly wrap?: string;
  readonly options?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** The problems as one text, `what → remedy` a line. */
function look({ without = ":", wrap = "", options = "", environment = {} }: Look): Promise<string> {
  const state = join(room, "state");
  const script = `set -e\n${without}\nexec ${wrap} "$NODE" "$MAIN" --state "$STATE" preflight --json ${options}`;
  const env = {
    ...process.env,
    NODE: process.execPath,
    MAIN: main,
    STATE: state,
    ROOM: room,
    ...environment,
  };
  return new Promise((done, fail) => {
    const args = ["--mount", "--propagation", "private", "bash", "-c", script];
    execFile("unshare", args, { env, encoding: "utf8" }, (error, stdout, stderr) => {
      try {
        const { problems } = JSON.parse(stdout) as { problems: { what: string; remedy: string }[] };
        expect(error === null).toBe(problems.length === 0);
        done(problems.map(({ what, remedy }) => `${what} → ${remedy}`).join("\n"));
      } catch {
        fail(new Error(`${script}\n${stdout}${stderr}`));
      }
    });
  });
}

/** A copy of /usr/bin that may be changed, and one tool that `up` would have to install. */
const ownTools = [
  "mkdir -p $ROOM/tools && mount -t tmpfs none $ROOM/tools && mkdir $ROOM/tools/{upper,work}",
  "mount -t overlay -o lowerdir=/usr/bin,upperdir=$ROOM/tools/upper,workdir=$ROOM/tools/work overlay /usr/bin",
  "rm -f /usr/bin/zstd",
].join("\n");

/** Only what `mirror` says counts as a source of packages. */
const sources = (mirror: string): string =>
  `mount -t tmpfs none /etc/apt && echo 'deb ${mirror} bookworm main' >/etc/apt/sources.list`;

test("this machine, as it is, has all of them", async () => {
  expect(await look({})).toBe("");
});

test.each<[string, Look, RegExp]>([
  ["root", { wrap: "unshare --user" }, /^the lab needs root: .* → run it as root \(sudo\)$/m],
  [
    "x86-64",
    {
      environment: {
        NODE_OPTIONS: "--import=data:text/javascript,Object.defineProperty(process,'arch',{value:'arm64'})",
      },
    },
    /^the lab runs on x86-64 only, this is arm64 → use another machine$/m,
  ],
  ["a port that may be used", { options: "--port 80" }, /^80 is no usable port → choose --port between/m],
  [
    "namespaces and file systems",
    {
      without:
        "mount -t tmpfs none /proc && mkdir -p /proc/self/ns && touch /proc/self/ns/{mnt,net,pid,ipc,uts} && echo 'nodev tmpfs' >/proc/filesystems",
    },
    /^the kernel has no user, cgroup namespaces → use a kernel with LXC support\nthe kernel has no overlay, cgroup2, ext4 → use a kernel with these file systems$/m,
  ],
  [
    "devices",
    {
      without:
        "mkdir $ROOM/dev; mount -t tmpfs none $ROOM/dev; for one in null zero urandom; do touch $ROOM/dev/$one; mount --bind /dev/$one $ROOM/dev/$one; done; mount --rbind $ROOM/dev /dev",
    },
    /^\/dev\/fuse is missing: no FUSE here → load the kernel's modules[^\n]*\n\/dev\/net\/tun is missing: no TUN[^\n]*\n\/dev\/loop-control is missing: no loop devices here → .*modprobe fuse tun loop/m,
  ],
  [
    "a Debian mirror",
    { without: "mount -t tmpfs none /etc/apt" },
    /^this machine's apt sources name no Debian mirror \(http or https\) → add one, e\.g\. a file/m,
  ],
  [
    "room for the lab",
    { without: "mkdir -p $STATE && mount -t tmpfs -o size=100M none $STATE" },
    /^too little disk: \S+\/state has 0\.1 GiB free, the lab needs 3 GiB → make room/m,
  ],
  [
    "room for the images",
    {
      without: "mkdir -p $ROOM/cache && mount -t tmpfs -o size=100M none $ROOM/cache",
      environment: { PHOENIX_CACHE: join(room, "cache") },
    },
    /^too little disk: \S+\/cache has 0\.1 GiB free, the lab needs 6 GiB → .*PHOENIX_CACHE=/m,
  ],
  [
    "the right to make bridges",
    { wrap: "setpriv --bounding-set=-net_admin --inh-caps=-net_admin" },
    /^the kernel cannot make bridges \(.*not permitted.*\) → use a kernel with bridge and veth/m,
  ],
  [
    "apt-get",
    { without: `${ownTools}\nrm /usr/bin/apt-get` },
    /^this machine has no apt-get → use Debian 12/m,
  ],
  [
    "packages that apt can install",
    {
      without: `${ownTools}\nrm /usr/bin/apt-get\nprintf '#!/bin/sh\\necho "E: Unable to locate package zstd" >&2; exit 100\\n' >/usr/bin/apt-get\nchmod +x /usr/bin/apt-get\nmount -t tmpfs none /var/lib/apt/lists\ntouch /var/lib/apt/lists/x_Packages`,
    },
    /^apt cannot install zstd \(E: Unable to locate package zstd\) → run `apt-get update`/m,
  ],
  [
    "a mirror that answers",
    { without: sources("http://127.0.0.1:9/debian"), environment: { http_proxy: undefined } },
    /^the Debian mirror http:\/\/127\.0\.0\.1:9\/debian does not answer → make `apt-get update` work/m,
  ],
])("without %s", async (_name, how, expected) => {
  mkdirSync(join(room, "state"), { recursive: true });
  expect(await look(how)).toMatch(expected);
});

const listening = (server: Server): Promise<number> =>
  new Promise((done) => server.listen(0, "127.0.0.1", () => done((server.address() as AddressInfo).port)));

test("a mirror without the release", async () => {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const mirror = `http://127.0.0.1:${await listening(server)}/debian`;
  try {
    const said = await look({ without: sources(mirror), environment: { http_proxy: undefined } });
    expect(said).toContain(`the Debian mirror ${mirror} answers 404 → make`);
  } finally {
    server.close();
  }
});

test("a port that another program has, or another lab", async () => {
  const server = createServer();
  const port = await listening(server);
  try {
    expect(await look({ options: `--port ${port}` })).toMatch(
      new RegExp(
        `^port ${port} on 127.0.0.1 \\(API\\) is taken by .*\\(process ${process.pid}\\) → choose another first port`,
      ),
    );
  } finally {
    server.close();
  }
  const rule = `-A PREROUTING -p tcp --dport ${port + 1} -m comment --comment "phoenix-lab-0badcafe" -j DNAT`;
  writeFileSync(join(room, "iptables-save"), `#!/bin/sh\ncat <<'RULES'\n${rule}\nRULES\n`, { mode: 0o755 });
  const said = await look({
    options: `--port ${port}`,
    environment: { PATH: `${room}:${process.env["PATH"] ?? ""}` },
  });
  expect(said).toMatch(
    new RegExp(`port ${port + 1} on 127.0.0.1 \\(SSH\\) is taken by the lab phoenix-lab-0badcafe → choose`),
  );
});
