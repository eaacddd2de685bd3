import { expect, test } from "vitest";
import { refuseForeignImage, takeBackStorage, type Looks } from "../../components/hypervisor/take-back.ts";
import { PveApiError } from "../../components/node/pve-api.ts";

const asked = { id: "tank-lxc", type: "zfspool", stack: "dev", place: "etc/host.json:12:5" };
const image = {
  name: "debian-12",
  storage: "iso",
  fileName: "d.tar.zst",
  stack: "dev",
  place: "etc/host.json:30:5",
};

/** A node with these storages and images, and notes of these stacks on every one of them. */
function nodeWith(storages: object[], images: string[] | Error, owners: string[] | Error) {
  const writes: string[] = [];
  let questions = 0;
  const looks: Looks = {
    api: {
      node: "pve",
      call: (method, path) => {
        if (method !== "GET") writes.push(`${method} ${path}`);
        if (path === "/storage") return Promise.resolve(storages);
        if (images instanceof Error) return Promise.reject(images);
        return Promise.resolve(images.map((volid) => ({ volid })));
      },
    },
    claims: {
      ownersOf: () => {
        questions += 1;
        return owners instanceof Error ? Promise.reject(owners) : Promise.resolve(owners);
      },
    },
  };
  return { looks, writes, questions: () => questions };
}

const there = [{ storage: "tank-lxc", type: "zfspool" }];

test("a storage that is not there is no question", async () => {
  const { looks, writes, questions } = nodeWith([{ storage: "local", type: "dir" }], [], []);
  await takeBackStorage(looks, asked, false);
  expect([writes, questions()]).toEqual([[], 0]);
});

test("the registration that a cut run of ours left is taken away, and only in a real run", async () => {
  const { looks, writes } = nodeWith(there, [], ["dev"]);
  await takeBackStorage(looks, asked, true);
  expect(writes).toEqual([]);
  await takeBackStorage(looks, asked, false);
  expect(writes).toEqual(["DELETE /storage/tank-lxc"]);
});

test.each([
  [
    "F1: a storage that this stack did not make is refused",
    [],
    /^etc\/host\.json:12:5: .*stack 'dev' did not make it.*"existing": true/,
  ],
  ["F1: a storage of another stack is refused", ["prod"], /it is stack 'prod' that made it/],
])("%s, in preview and up, and nothing is touched", async (_, owners, message) => {
  for (const dryRun of [true, false]) {
    const { looks, writes } = nodeWith(there, [], owners);
    await expect(takeBackStorage(looks, asked, dryRun)).rejects.toThrow(message);
    expect(writes).toEqual([]);
  }
});

test("what cannot be read is never taken for ours", async () => {
  const { looks, writes } = nodeWith(there, [], new Error("no route to host"));
  await expect(takeBackStorage(looks, asked, false)).rejects.toThrow(/no route to host/);
  expect(writes).toEqual([]);
});

test("a registration of another type is not taken away: the engine would remove the new one with the old", async () => {
  const { looks, writes } = nodeWith([{ storage: "tank-lxc", type: "dir" }], [], ["dev"]);
  await expect(takeBackStorage(looks, asked, false)).rejects.toThrow(
    /of type dir and cannot become zfspool in one run/,
  );
  expect(writes).toEqual([]);
});

const iso = [{ storage: "iso", type: "dir" }];

test("F1: an image of that name that this stack did not bring is not written over", async () => {
  const { looks } = nodeWith(iso, ["iso:vztmpl/d.tar.zst"], []);
  await expect(refuseForeignImage(looks, image)).rejects.toThrow(
    /^etc\/host\.json:30:5: .*iso:vztmpl\/d\.tar\.zst.*"existing": true/,
  );
});

test.each([
  ["our own, of a cut run", iso, ["iso:vztmpl/d.tar.zst"], ["dev"]],
  ["another name", iso, ["iso:vztmpl/e.tar.zst"], []],
  ["a storage still to be made", [], new PveApiError(500, "no such storage"), []],
  ["a storage that is not ready", iso, new PveApiError(500, "not a directory"), []],
])("an image may be brought: %s", async (_, storages, images, owners) => {
  await refuseForeignImage(nodeWith(storages, images, owners).looks, image);
});

test("a node that does not answer is no node without images", async () => {
  const { looks } = nodeWith(iso, new Error("no answer within 30 s"), []);
  await expect(refuseForeignImage(looks, image)).rejects.toThrow(/no answer/);
});
