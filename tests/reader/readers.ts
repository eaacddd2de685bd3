import { featureWrong } from "./feature-readers.ts";
import { networkWrong } from "./network-readers.ts";
import { must, parts, type Reader } from "./words.ts";

/** What no node shows: how the engine treats the container, and how long it waits. */
export const unseen: Readonly<Record<string, string>> = {
  roll: "the engine's",
  protect: "the engine's",
  allow: "the engine's",
  dependencies: "the engine's order",
  health_check: "asked by the run",
  "ready_timeouts.init": "how long a run waits",
  "ready_timeouts.network": "how long a run waits",
  "ready_timeouts.dns": "how long a run waits",
};

const config =
  (key: string, fallback = ""): Reader =>
  (value, facts) => {
    const found = facts.config.get(key) ?? fallback;
    return must(found === String(value), `${key}: ${found}`);
  };

const flag =
  (key: string): Reader =>
  (value, facts) => {
    const found = (facts.config.get(key) ?? "0") === "1";
    return must(found === value, `${key}: ${facts.config.get(key) ?? "none"}`);
  };

const ability =
  (name: string): Reader =>
  (value, { config: found }) => {
    const on = parts(found.get("features")).get(name) === "1";
    return must(on === value, `features: ${found.get("features") ?? "none"}`);
  };

interface Volume {
  readonly name: string;
  readonly mount_point: string;
  readonly owner_uid?: number;
  readonly owner_gid?: number;
}

const volumes: Reader = (value, { config: found, guest }) =>
  (value as Volume[]).flatMap(({ name, mount_point: place, owner_uid: uid, owner_gid: gid }) => [
    ...must(
      [...found].some(([key, text]) => /^mp\d+$/.test(key) && parts(text).get("mp") === place),
      `${name}: nothing at ${place}`,
    ),
    ...(guest && (uid ?? gid) !== undefined
      ? must(
          (guest.get("owners") ?? "").includes(`${place} ${uid ?? 0}:${gid ?? 0}\n`),
          `${name}: another owner`,
        )
      : []),
  ]);

const idMaps: Reader = (value, { raw, guest }) =>
  (value as { type: string; container_id: number; host_id: number; size?: number }[]).flatMap(
    ({ type, container_id: inside, host_id: outside, size = 1 }) => [
      ...must(raw.includes(`lxc.idmap: ${type.slice(0, 1)} ${inside} ${outside} ${size}`), raw.join(" | ")),
      ...(guest && type === "uid"
        ? must(
            new RegExp(`^\\s*${inside}\\s+${outside}\\s+${size}\\s*$`, "m").test(guest.get("uids") ?? ""),
            guest.get("uids"),
          )
        : []),
    ],
  );

/** Where a container's root came from, and whether it still lies on it. */
const cloned: Reader = (value, { origin }, all) => {
  const linked =
    (all.get("clone_mode") ?? (all.get("is_template") === true ? "linked" : "full")) === "linked";
  return must(
    linked ? origin.includes(`basevol-${String(value)}-disk-`) : origin === "-",
    `origin ${origin}`,
  );
};

const startup =
  (name: string): Reader =>
  (value, { config: found }) =>
    must(
      // No delay is none at all.
      (parts(found.get("startup")).get(name) ?? (name === "up" ? "0" : undefined)) === String(value),
      `startup: ${found.get("startup") ?? "none"}`,
    );

const firewall: Reader = (value, { firewall: found, config: live }) => {
  const { enabled, rules = [] } = value as { enabled: boolean; rules?: { type: string; action: string }[] };
  const options = JSON.parse(found.options) as { enable?: number };
  const there = JSON.parse(found.rules) as { type: string; action: string; dport?: string; proto?: string }[];
  const words = (one: {
    type: string;
    action: string;
    proto?: string;
    port?: string;
    dport?: string;
  }): string => [one.type, one.action, one.proto ?? "", one.port ?? one.dport ?? ""].join(" ");
  return [
    ...must((options.enable === 1) === enabled, `enable ${options.enable ?? 0}`),
    ...must(there.map(words).join() === rules.map(words).join(), there.map(words).join()),
    ...must(!enabled || parts(live.get("net0")).get("firewall") === "1", `net0: ${live.get("net0") ?? ""}`),
  ];
};

export const readers: Readonly<Record<string, Reader>> = {
  name: (value, facts) => [
    ...must(facts.config.get("hostname") === value, facts.config.get("hostname")),
    // PVE gives the guest what stands before the first dot, and takes the rest for a domain.
    ...(facts.guest
      ? must(facts.guest.get("hostname")?.trim() === String(value).split(".")[0], facts.guest.get("hostname"))
      : []),
  ],
  is_template: flag("template"),
  template: (value, { config: found }) =>
    must(String(value).startsWith(found.get("ostype") ?? "?"), `ostype: ${found.get("ostype") ?? "none"}`),
  clone_from_ctid: cloned,
  clone_mode: () => [], // read with what it is cloned from
  memory_mb: config("memory"),
  swap_mb: config("swap"),
  cores: config("cores"),
  cpu_limit: config("cpulimit"),
  cpu_units: config("cpuunits"),
  storage_pool: (value, { config: found }) =>
    must(String(found.get("rootfs")).startsWith(`${String(value)}:`), found.get("rootfs")),
  storage_size_gb: (value, { config: found }) =>
    must(parts(found.get("rootfs")).get("size") === `${String(value)}G`, found.get("rootfs")),
  ...networkWrong,
  unprivileged: (value, facts) => [
    ...flag("unprivileged")(value, facts, new Map()),
    ...(facts.guest
      ? must(/^\s*0\s+0\s/.test(facts.guest.get("uids") ?? "") !== value, facts.guest.get("uids"))
      : []),
  ],
  // A template holds no devices, which a clone would have from it; what it is told counts in its clones' features.
  gpu_assignment: (value, { config: found, guest }, all) => {
    const cards = [...found.entries()].filter(
      ([key, text]) => /^dev\d+$/.test(key) && /\/dev\/nvidia\d/.test(text),
    );
    const wanted = value === "none" || all.get("is_template") === true ? 0 : String(value).split(",").length;
    const seen = (guest?.get("devices") ?? "").match(/\/dev\/nvidia\d+$/gm) ?? [];
    return [
      ...must(cards.length === wanted, `${cards.length} cards in the configuration`),
      ...(guest ? must(seen.length === wanted, `${seen.length} cards inside`) : []),
    ];
  },
  "features[]": featureWrong,
  "pct_options.nesting": ability("nesting"),
  "pct_options.keyctl": ability("keyctl"),
  "pct_options.fuse": ability("fuse"),
  lxc_options: (value, { raw }) =>
    (value as string[]).flatMap((line) => must(raw.includes(line), raw.join(" | "))),
  id_maps: idMaps,
  devices: (value, { config: found }) =>
    (value as { path: string }[]).flatMap(({ path }) =>
      must(
        [...found].some(([key, text]) => /^dev\d+$/.test(key) && parts(text).get("volume") === path),
        `no ${path}`,
      ),
    ),
  volumes,
  snapshots: (value, { snapshots }) =>
    (value as string[]).flatMap((name) => must(snapshots.includes(`-> ${name} `), `no ${name}`)),
  firewall,
  description: (value, { config: found }) => {
    const text = decodeURIComponent(found.get("description") ?? "");
    return must(text.split("\n").slice(1).join("\n").trim() === String(value).trim(), text);
  },
  tags: (value, { config: found }) =>
    must((found.get("tags") ?? "") === (value as string[]).toSorted().join(";"), found.get("tags")),
  start_at_boot: flag("onboot"),
  boot_order: startup("order"),
  boot_delay: startup("up"),
};
