import { describe, expect, it } from "vitest";
import { deviceTraffic, nextSample, statusBytes } from "../src/guests/usage.ts";

describe("what a guest uses", () => {
  it("is counted since the sample before, at most once a second, over its own processors", () => {
    const first = nextSample(undefined, { time: 100, used: 5 }, 10, 2);
    expect(first).toEqual({ time: 100, used: 5, share: 0.25 });
    expect(nextSample(first, { time: 100.5, used: 6 }, 10.5, 2)).toBe(first);
    expect(nextSample(first, { time: 104, used: 9 }, 14, 2).share).toBe(0.5);
  });

  it("starts anew with the guest", () => {
    const before = { time: 100, used: 50, share: 1 };
    expect(nextSample(before, { time: 110, used: 1 }, 5, 1).share).toBe(0.2);
    expect(nextSample(undefined, { time: 110, used: 0.1 }, 0, 1).share).toBe(0);
  });

  it("is read from what the kernel writes", () => {
    expect(statusBytes("VmRSS:\t  12 kB\nRssAnon:\t    8 kB\n", "RssAnon")).toBe(8192);
    expect(statusBytes("Name:\tx\n", "VmSwap")).toBe(0);
    const stat =
      "     100        0     2048       10       20        0     4096       30        0       40       50";
    expect(deviceTraffic(stat)).toEqual({ diskread: 1048576, diskwrite: 2097152 });
    expect(deviceTraffic("")).toEqual({ diskread: 0, diskwrite: 0 });
  });
});
