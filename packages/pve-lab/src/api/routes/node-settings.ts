import { existsSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { digestOf, readTextOr, writeFileAtomic } from "../../core/files.ts";
import { place } from "../../core/places.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { asText } from "../../core/text.ts";

const RESOLV = "/etc/resolv.conf";
const HOSTS = "/etc/hosts";
const ZONES = "/usr/share/zoneinfo";

function readDns(): Record<string, string> {
  const text = readTextOr(place(RESOLV), "");
  const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, address]) => address ?? "");
  const search = /^(?:search|domain)\s+(\S+)/m.exec(text)?.[1];
  const named = servers.slice(0, 3).map((address, index) => [`dns${index + 1}`, address]);
  return {
    ...(search === undefined ? {} : { search }),
    ...(Object.fromEntries(named) as Record<string, string>),
  };
}

function writeDns({ parameters }: Context): null {
  const servers = ["dns1", "dns2", "dns3"].flatMap((key) =>
    parameters[key] === undefined ? [] : [asText(parameters[key])],
  );
  const kept = readTextOr(place(RESOLV), "")
    .split("\n")
    .filter((line) => line !== "" && !/^(?:nameserver|search|domain)\s/.test(line));
  const lines = [
    `search ${asText(parameters["search"])}`,
    ...servers.map((address) => `nameserver ${address}`),
    ...kept,
  ];
  writeFileAtomic(place(RESOLV), `${lines.join("\n")}\n`, 0o644);
  return null;
}

function readHosts(): unknown {
  const data = readTextOr(place(HOSTS), "");
  return { data, digest: digestOf(data) };
}

function writeHosts({ parameters }: Context): null {
  const digest = parameters["digest"];
  if (digest !== undefined && digest !== digestOf(readTextOr(place(HOSTS), "")))
    throw new ApiError(500, "detected modified configuration - file changed by other user? Try again.");
  writeFileAtomic(place(HOSTS), asText(parameters["data"]), 0o644);
  return null;
}

function zoneName(): string {
  return readTextOr(place("/etc/timezone"), "").trim() || "UTC";
}

/** Seconds by which a zone's clock is ahead of UTC now. */
function offsetOf(zone: string): number {
  const shown = new Date().toLocaleString("sv-SE", { timeZone: zone });
  return Math.round((Date.parse(`${shown.replace(" ", "T")}Z`) - Date.now()) / 1000);
}

function readTime(): unknown {
  const time = Math.floor(Date.now() / 1000);
  const timezone = zoneName();
  return { time, localtime: time + offsetOf(timezone), timezone };
}

function writeTime({ parameters }: Context): null {
  const zone = asText(parameters["timezone"]);
  if (/\.\./.test(zone) || !existsSync(`${ZONES}/${zone}`))
    throw new ApiError(400, "Parameter verification failed.", { timezone: "No such timezone." });
  writeFileAtomic(place("/etc/timezone"), `${zone}\n`, 0o644);
  const link = place("/etc/localtime");
  rmSync(`${link}.new`, { force: true });
  symlinkSync(`${ZONES}/${zone}`, `${link}.new`);
  renameSync(`${link}.new`, link);
  return null;
}

const node = "/nodes/{node}";
export const nodeSettingsRoutes: Route[] = [
  { method: "GET", path: `${node}/dns`, evidence: "observed", handler: readDns },
  { method: "PUT", path: `${node}/dns`, evidence: "observed", handler: writeDns },
  { method: "GET", path: `${node}/hosts`, evidence: "observed", handler: readHosts },
  { method: "POST", path: `${node}/hosts`, evidence: "observed", handler: writeHosts },
  { method: "GET", path: `${node}/time`, evidence: "observed", handler: readTime },
  { method: "PUT", path: `${node}/time`, evidence: "observed", handler: writeTime },
];
