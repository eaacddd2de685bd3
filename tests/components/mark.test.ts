import { expect, test } from "vitest";
import { isLockError, pause } from "../../components/lxc/clone-lock.ts";
import { formatMark, readMark } from "../../components/lxc/mark.ts";

const mark = { stack: "dev", vmid: 910, incarnation: "0123456789abcdef", recipe: "deadbeef" };

test("a mark survives the way through a description", () => {
  expect(readMark(`${formatMark(mark)}\nA person's own text.\n`, 910)).toEqual(mark);
  expect(readMark(formatMark({ ...mark, recipe: "-" }), 910)?.recipe).toBe("-");
});

test("no mark: nothing, another guest's, a line further down, a broken one", () => {
  expect(readMark(undefined, 910)).toBeUndefined();
  expect(readMark("my notes", 910)).toBeUndefined();
  expect(readMark(formatMark(mark), 911)).toBeUndefined();
  expect(readMark(`notes\n${formatMark(mark)}`, 910)).toBeUndefined();
  expect(readMark(formatMark(mark).replace("incarnation=", "incarnation"), 910)).toBeUndefined();
});

test("only locks are waited for, with a growing pause", () => {
  expect(isLockError(["error cloning: received an HTTP 500 response - Reason: CT is locked (disk)"])).toBe(
    true,
  );
  expect(isLockError(["can't lock file '/run/lock/lxc/pve-config-900.lock' - got timeout"])).toBe(true);
  expect(isLockError(["storage 'x' does not exist"])).toBe(false);
  expect([1, 2, 3, 50].map(pause)).toEqual([1000, 1500, 2250, 15_000]);
});
