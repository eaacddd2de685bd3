import { expect, test } from "vitest";
import { measure, stepsOf, waitsOf } from "../bench/critical-path.ts";

const event = (kind: string, urn: string, timestamp: number, op = "create"): string =>
  JSON.stringify({ timestamp, [kind]: { metadata: { op, urn } } });

test("two that run side by side: the longer one and what waits for it are the chain", () => {
  const log = [
    event("resourcePreEvent", "a", 0),
    event("resourcePreEvent", "b", 0),
    event("resourcePreEvent", "still", 0, "same"),
    event("resOutputsEvent", "a", 4),
    event("resOutputsEvent", "b", 10),
    event("resourcePreEvent", "c", 10),
    event("resOutputsEvent", "c", 12),
  ].join("\n");
  const state = JSON.stringify({
    deployment: {
      resources: [
        { urn: "a" },
        { urn: "b" },
        { urn: "still", dependencies: ["b"] },
        { urn: "c", parent: "still" },
      ],
    },
  });
  expect(measure(stepsOf(log), waitsOf(state))).toEqual({ wall: 12, chain: 12, sum: 16, path: ["b", "c"] });
});
