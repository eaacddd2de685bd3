import { expect, test } from "vitest";
import { makeRoom } from "../../components/lxc/guard.ts";
import type { NodeApi } from "../../components/lxc/guest-on-node.ts";
import { formatMark } from "../../components/lxc/mark.ts";
import { PveApiError } from "../../components/node/pve-api.ts";

const mark = (stack: string, vmid: number) =>
  formatMark({ stack, vmid, incarnation: "0123456789abcdef", recipe: "abc123" });

const intent = { stack: "dev", vmid: 910, mayReplace: false };

/** A node with at most one guest; records the calls that write. */
function nodeWith(
  guest: { vmid: number; config: Record<string, unknown>; status?: string } | undefined,
  looksUntilTaskEnds = 0,
  tasks: { type: string; starttime: number }[] = [],
) {
  const writes: string[] = [];
  let present = guest;
  let busy = looksUntilTaskEnds;
  const api: NodeApi = {
    node: "pve",
    call: (method, path) => {
      if (method !== "GET") writes.push(`${method} ${path}`);
      if (method === "DELETE") present = undefined;
      if (path.startsWith("/cluster/nextid")) {
        return present ? Promise.reject(new PveApiError(400, "already exists")) : Promise.resolve("910");
      }
      if (path.includes("source=all")) return Promise.resolve(tasks);
      if (path.includes("/tasks")) return Promise.resolve(busy-- > 0 ? [{ status: "RUNNING" }] : []);
      if (path.endsWith("/config")) {
        return present
          ? Promise.resolve(present.config)
          : Promise.reject(new PveApiError(500, "does not exist"));
      }
      if (path.endsWith("/status/current")) return Promise.resolve({ status: present?.status ?? "stopped" });
      return Promise.resolve(null);
    },
  };
  return { api, writes };
}

test("a free vmid is fine", async () => {
  const { api, writes } = nodeWith(undefined);
  await makeRoom(api, intent, false);
  expect(writes).toEqual([]);
});

test("a guest without our mark is refused, in preview and up, and nothing is touched", async () => {
  for (const dryRun of [true, false]) {
    const { api, writes } = nodeWith({ vmid: 910, config: { hostname: "precious" } });
    await expect(makeRoom(api, intent, dryRun)).rejects.toThrow(
      /vmid 910 is taken on node pve.*not made by Phoenix/,
    );
    expect(writes).toEqual([]);
  }
});

test("another stack's guest is refused, naming the stack", async () => {
  const { api, writes } = nodeWith({ vmid: 910, config: { description: `${mark("home", 910)}\n` } });
  await expect(makeRoom(api, intent, false)).rejects.toThrow(/belongs to stack 'home'/);
  expect(writes).toEqual([]);
});

test("a mark that PVE copied on clone does not count", async () => {
  const { api } = nodeWith({ vmid: 910, config: { description: mark("dev", 902) } });
  await expect(makeRoom(api, intent, false)).rejects.toThrow(/not made by Phoenix/);
});

test("the rest of our own cut run is removed after its task, but only looked at in a preview", async () => {
  const config = { description: `${mark("dev", 910)}\nnotes` };
  const preview = nodeWith({ vmid: 910, config });
  await makeRoom(preview.api, intent, true);
  expect(preview.writes).toEqual([]);

  const up = nodeWith({ vmid: 910, config }, 1);
  await makeRoom(up.api, intent, false);
  expect(up.writes).toEqual(["DELETE /nodes/pve/lxc/910"]);
});

test("a clone that still runs is waited for: its task is the source's, the lock is its own", async () => {
  const config: Record<string, unknown> = { lock: "create" };
  const { api, writes } = nodeWith({ vmid: 910, config }, 2);
  const call: NodeApi["call"] = (method, path) => {
    // The node knows this task under 902.
    if (path.includes("/tasks?vmid=910")) return Promise.resolve([]);
    if (path.includes("/tasks?source")) {
      delete config["lock"];
      config["description"] = mark("dev", 910);
    }
    return api.call(method, path);
  };
  await makeRoom({ node: "pve", call }, intent, false);
  expect(writes).toEqual(["DELETE /nodes/pve/lxc/910"]);
});

test("a lock that no task holds is named with the command that takes it off", async () => {
  const { api, writes } = nodeWith({ vmid: 910, config: { lock: "create" } });
  await expect(makeRoom(api, intent, false)).rejects.toThrow(/locked \(create\).*pct unlock 910/);
  expect(writes).toEqual([]);
});

test("the rest of a cut run that holds data stays, with the import command", async () => {
  const { api, writes } = nodeWith({
    vmid: 910,
    config: { description: mark("dev", 910), mp0: "tank:vol,mp=/data" },
  });
  await expect(makeRoom(api, intent, false)).rejects.toThrow(
    /holds data \(mp0\).*pulumi import .* 910 pve\/910/,
  );
  expect(writes).toEqual([]);
});

const older = { type: "vzdestroy", starttime: 100 };
const started = { type: "vzstart", starttime: 200 };

test.each([
  ["runs", "running", []],
  ["was started before", "stopped", [older, started]],
])(
  "a guest of ours that %s is not the rest of a cut run: never removed, and replaced only where allowed",
  async (_, status, tasks) => {
    const config = { description: mark("dev", 910) };
    for (const dryRun of [true, false]) {
      const { api, writes } = nodeWith({ vmid: 910, config, status }, 0, tasks);
      await expect(makeRoom(api, intent, dryRun)).rejects.toThrow(
        /would be replaced[^]*"allow": \["replace"\][^]*pulumi import/,
      );
      expect(writes).toEqual([]);
    }
    const allowed = { ...intent, mayReplace: true };
    const preview = nodeWith({ vmid: 910, config, status }, 0, tasks);
    await makeRoom(preview.api, allowed, true);
    // In a real run the engine has deleted by now what it replaces: this one is in no state.
    const up = nodeWith({ vmid: 910, config, status }, 0, tasks);
    await expect(makeRoom(up.api, allowed, false)).rejects.toThrow(/pulumi import/);
    expect(preview.writes.concat(up.writes)).toEqual([]);
  },
);

test("a start under the same number before the last destroy was another guest's", async () => {
  const tasks = [{ type: "vzstart", starttime: 50 }, older];
  const { api, writes } = nodeWith({ vmid: 910, config: { description: mark("dev", 910) } }, 0, tasks);
  await makeRoom(api, intent, false);
  expect(writes).toEqual(["DELETE /nodes/pve/lxc/910"]);
});

test("a template with linked clones that may not go is not built anew, and the clones are named", async () => {
  const config = { description: mark("dev", 910), template: 1 };
  const { api } = nodeWith({ vmid: 910, config });
  const linked = { ...intent, mayReplace: true, linked: [911, 912] };
  const call: NodeApi["call"] = (method, path) =>
    path.endsWith("nextid?vmid=912") ? Promise.resolve("912") : api.call(method, path);
  await expect(makeRoom({ node: "pve", call }, linked, true)).rejects.toThrow(
    /910 would be built anew, and 911 lie/,
  );
  await makeRoom(api, { ...linked, linked: [] }, true);
});

test("what is only mounted from the node is no data of the guest's own", async () => {
  const config = { description: mark("dev", 910), mp0: "/tank/data,mp=/data" };
  const { api, writes } = nodeWith({ vmid: 910, config });
  await makeRoom(api, intent, false);
  expect(writes).toEqual(["DELETE /nodes/pve/lxc/910"]);
});

test("in a recovery the preview passes over our own guest, and only over that; a run does not", async () => {
  const config = { description: mark("dev", 910), mp0: "tank:vol" };
  const recovery = { ...intent, recovered: true };
  const { api, writes } = nodeWith({ vmid: 910, config, status: "running" });
  await makeRoom(api, recovery, true);
  await expect(makeRoom(api, recovery, false)).rejects.toThrow(/holds data/);
  const foreign = nodeWith({ vmid: 910, config: { hostname: "precious" } });
  await expect(makeRoom(foreign.api, recovery, true)).rejects.toThrow(/taken on node/);
  expect([...writes, ...foreign.writes]).toEqual([]);
});
