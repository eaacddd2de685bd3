import { expect, test } from "vitest";
import { protectedIn, protectedText } from "../src/lib/protected.ts";

const urn = (types: string, name: string): string => `urn:pulumi:dev::phoenix::${types}::${name}`;
const guest = urn("phoenix:lxc:Container$proxmoxve:index/containerLegacy:ContainerLegacy", "910");
const feature = urn("phoenix:hypervisor:ZfsPool$phoenix:Feature", "pool-tank");
const pool = urn("phoenix:hypervisor:ZfsPool$phoenix:Feature$command:remote:Command", "pool-tank");
const free = urn("phoenix:lxc:Container$proxmoxve:index/containerLegacy:ContainerLegacy", "911");

test("what is protected is named in the configuration's words, a component and its resource once", () => {
  const exported = JSON.stringify({
    deployment: {
      resources: [
        { urn: guest, custom: true, protect: true },
        { urn: feature, custom: false, protect: true },
        { urn: pool, custom: true, protect: true },
        { urn: free, custom: true },
      ],
    },
  });
  expect(protectedIn(exported)).toEqual([guest, pool]);
  expect(protectedText([guest, pool])).toBe(
    'nothing was touched: 910, pool-tank are protected ("protect": true in the configuration).',
  );
});

test("an empty stack has nothing that is protected", () => {
  expect(protectedIn('{"version":3,"deployment":{"manifest":{}}}')).toEqual([]);
});
