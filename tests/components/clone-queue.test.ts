import { expect, test } from "vitest";
import { CloneQueue } from "../../components/lxc/clone-queue.ts";

/** Whose turn it is, in the order in which it came. */
function line(queue: CloneQueue) {
  const begun: number[] = [];
  const enter = (source: number, vmid: number) => void queue.enter(source, vmid).then(() => begun.push(vmid));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { begun, enter, settled };
}

test("clones of one source come one after the other, those of another do not wait", async () => {
  const queue = new CloneQueue();
  const { begun, enter, settled } = line(queue);
  for (const vmid of [910, 911, 912]) enter(902, vmid);
  enter(901, 920);
  await settled();
  expect(begun).toEqual([910, 920]);
  queue.leave(910);
  await settled();
  expect(begun).toEqual([910, 920, 911]);
  queue.leave(911);
  await settled();
  expect(begun).toEqual([910, 920, 911, 912]);
});

test("one that tries again keeps its turn, and one that has ended can come back to the end of the line", async () => {
  const queue = new CloneQueue();
  const { begun, enter, settled } = line(queue);
  enter(902, 910);
  enter(902, 911);
  enter(902, 910);
  await settled();
  expect(begun).toEqual([910, 910]);
  queue.leave(910);
  enter(902, 910);
  await settled();
  expect(begun).toEqual([910, 910, 911]);
  queue.leave(911);
  queue.leave(911);
  await settled();
  expect(begun).toEqual([910, 910, 911, 910]);
});
