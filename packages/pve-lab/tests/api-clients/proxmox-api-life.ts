/** Takes a container through its life with the npm package proxmox-api; prints what the node answered. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How that package is called: names are path segments, `$` a variable one, `$get` and so on the methods. */
interface Verbs {
  $(id: string | number): Step;
  $get(parameters?: object): Promise<unknown>;
  $post(parameters?: object): Promise<unknown>;
  $put(parameters?: object): Promise<unknown>;
  $delete(parameters?: object): Promise<unknown>;
}
type Names =
  | "nodes"
  | "cluster"
  | "lxc"
  | "tasks"
  | "status"
  | "storage"
  | "content"
  | "config"
  | "nextid"
  | "current"
  | "stop";
type Step = Verbs & { readonly [name in Names]: Step };
type Connect = (options: { host: string; username: string; password: string }) => Step;

const [facts = "", module = ""] = process.argv.slice(2);
const { default: connect } = (await import(module)) as { default: Connect };
const { address, login } = JSON.parse(readFileSync(facts, "utf8")) as {
  address: string;
  login: { user: string; password: string };
};
const api = connect({ host: `${address}:8006`, username: login.user, password: login.password });
const node = api.nodes.$("pve");

async function finish(upid: unknown): Promise<string> {
  for (;;) {
    const answer = await node.tasks.$(String(upid)).status.$get();
    const { status, exitstatus } = answer as { status: string; exitstatus: string };
    if (status === "stopped") return exitstatus;
    await sleep(200);
  }
}

const nodes = (await api.nodes.$get()) as { node: string; status: string }[];
const vmid = Number(await api.cluster.nextid.$get());
const [file] = (await node.storage.$("files").content.$get({ content: "vztmpl" })) as { volid: string }[];
const create = await finish(
  await node.lxc.$post({
    vmid,
    ostemplate: file?.volid,
    storage: "guests",
    hostname: "js",
    net0: "name=eth0,bridge=vmbr0,ip=10.0.0.60/24",
    unprivileged: true,
    start: true,
  }),
);
const guest = node.lxc.$(vmid);
const { status } = (await guest.status.current.$get()) as { status: string };
const listed = (await node.lxc.$get()) as { vmid: number; name: string }[];
const stop = await finish(await guest.status.stop.$post());
const { hostname } = (await guest.config.$get()) as { hostname: string };
const refused = await guest.config.$put({ cores: -1 }).then(String, (error: unknown) => String(error));
const removed = await finish(await guest.$delete());
const left = await node.lxc.$get();
const seen = { nodes, vmid, create, status, listed, stop, hostname, refused, removed, left };
process.stdout.write(JSON.stringify(seen));
