import type { Facts } from "./facts.ts";
import { must, parts, type Reader } from "./words.ts";

/** A key of `net0` that has to be there as it is written. */
const first =
  (key: string): Reader =>
  (value, { config }) =>
    must(parts(config.get("net0")).get(key) === String(value), `net0: ${config.get("net0") ?? "none"}`);

/** An address in the configuration and, unless something hands it out, on the guest's interface. */
function address(line: string | undefined, key: "ip" | "ip6", wanted: string, { guest }: Facts): string[] {
  const found = parts(line);
  const name = found.get("name") ?? "";
  const onInterface = (guest?.get("addresses") ?? "")
    .split("\n")
    .some((one) => new RegExp(`\\s${name}\\s`).test(one) && one.includes(` ${wanted} `));
  return [
    ...must(found.get(key) === wanted, `${key} ${found.get(key) ?? "none"}`),
    ...(guest && wanted.includes("/") ? must(onInterface, `${name} has no ${wanted}`) : []),
  ];
}

interface Further {
  readonly name: string;
  readonly ip?: string;
  readonly vlan?: number;
  readonly bridge?: string;
}

const networks: Reader = (value, facts) =>
  (value as Further[]).flatMap(({ name, ip, vlan, bridge }) => {
    const line = [...facts.config].find(
      ([key, text]) => /^net[1-9]\d*$/.test(key) && parts(text).get("name") === name,
    )?.[1];
    if (line === undefined) return [`no interface ${name}`];
    return [
      ...(ip === undefined ? [] : address(line, "ip", ip, facts)),
      ...(vlan === undefined ? [] : must(parts(line).get("tag") === String(vlan), line)),
      ...(bridge === undefined ? [] : must(parts(line).get("bridge") === bridge, line)),
    ];
  });

/** Name servers and search domains: PVE's own file in the guest, which it writes at the start. */
const resolver =
  (key: string, word: string): Reader =>
  (value, { config, guest }) => [
    ...must(config.get(key) === String(value), `${key}: ${config.get(key) ?? "none"}`),
    ...(guest
      ? must(
          String(value)
            .split(" ")
            .every((one) => new RegExp(`^${word}.*\\b${one}\\b`, "m").test(guest.get("resolver") ?? "")),
          guest.get("resolver"),
        )
      : []),
  ];

export const networkWrong: Readonly<Record<string, Reader>> = {
  "network_config.name": first("name"),
  "network_config.bridge": first("bridge"),
  "network_config.vlan": first("tag"),
  "network_config.mtu": first("mtu"),
  "network_config.rate_mbps": first("rate"),
  "network_config.ip": (value, facts) => address(facts.config.get("net0"), "ip", String(value), facts),
  "network_config.ip6": (value, facts) => address(facts.config.get("net0"), "ip6", String(value), facts),
  "network_config.gw": (value, facts) => [
    ...first("gw")(value, facts, new Map()),
    ...(facts.guest
      ? must(
          (facts.guest.get("route") ?? "").includes(`default via ${String(value)} `),
          facts.guest.get("route"),
        )
      : []),
  ],
  "network_config.gw6": first("gw6"),
  mac_address: (value, { config }) =>
    must(
      parts(config.get("net0")).get("hwaddr")?.toLowerCase() === String(value).toLowerCase(),
      `net0: ${config.get("net0") ?? "none"}`,
    ),
  networks,
  nameserver: resolver("nameserver", "nameserver"),
  searchdomain: resolver("searchdomain", "search"),
};
