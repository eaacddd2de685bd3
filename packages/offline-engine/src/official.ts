import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { run, tail } from "./command.ts";
import { Failure } from "./failure.ts";
import { pluginFolder, plugins, pulumiVersion, type Part } from "./pins.ts";

/** How long a host may take to answer, and to send the next piece, before it counts as out of reach; milliseconds. */
export interface Limits {
  readonly answer: number;
  readonly piece: number;
}
const patience: Limits = { answer: 5_000, piece: 20_000 };

/**
 * The host of the official releases; `PHOENIX_RELEASES` names another one (a mirror of the same paths, or a test's
 * stand-in), `none` leaves them out.
 */
export function releaseHost(): string | undefined {
  const host = process.env["PHOENIX_RELEASES"] || "https://github.com";
  return host === "none" ? undefined : host.replace(/\/$/, "");
}

interface Release {
  readonly archive: string;
  readonly checksums: string;
  /** Where the archive is unpacked, relative to the part's folder; `strip` folders of it are left out. */
  readonly into: string;
  readonly strip: number;
}

/** File names as the projects' release tools write them (goreleaser's, and Pulumi's own for the CLI). */
function releasesOf(part: Part, host: string): Release[] {
  const cpu = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  if (!cpu) throw new Failure(`there are no official releases for ${process.arch}`);
  if (part === "engine") {
    const base = `${host}/pulumi/pulumi/releases/download/v${pulumiVersion}`;
    return [
      {
        archive: `${base}/pulumi-v${pulumiVersion}-${process.platform}-${process.arch}.tar.gz`,
        checksums: `${base}/pulumi-${pulumiVersion}-checksums.txt`,
        into: "bin",
        strip: 1,
      },
    ];
  }
  return plugins.map((plugin) => {
    const base = `${host}/${plugin.repository}/releases/download/v${plugin.version}`;
    const project = plugin.repository.split("/")[1];
    return {
      archive: `${base}/pulumi-resource-${plugin.name}-v${plugin.version}-${process.platform}-${cpu}.tar.gz`,
      checksums: `${base}/${project}_${plugin.version}_checksums.txt`,
      into: `plugins/${pluginFolder(plugin)}`,
      strip: 0,
    };
  });
}

/** Fills a folder from the official releases. @throws Failure if one is out of reach or not what it should be. */
export async function download(
  part: Part,
  folder: string,
  host: string,
  limits: Limits = patience,
): Promise<void> {
  const releases = releasesOf(part, host);
  const lists = await Promise.all(releases.map((release) => fetchText(release.checksums, limits)));
  for (const [index, release] of releases.entries()) {
    const name = release.archive.slice(release.archive.lastIndexOf("/") + 1);
    const wanted = new RegExp(`^([0-9a-f]{64})\\s+\\*?${name.replaceAll(".", "\\.")}$`, "m").exec(
      lists[index] ?? "",
    )?.[1];
    if (!wanted) throw new Failure(`${release.checksums} has no SHA-256 of ${name}`);
    const room = mkdtempSync(join(folder, "download-"));
    const file = join(room, name);
    await fetchTo(release.archive, file, limits);
    const found = await digest(file);
    if (found !== wanted) throw new Failure(`${release.archive} is not what its checksum says: refused`);
    const into = join(folder, release.into);
    mkdirSync(into, { recursive: true });
    const unpacked = await run("tar", [
      "-xzf",
      file,
      "-C",
      into,
      `--strip-components=${release.strip}`,
      "--no-same-owner",
    ]);
    if (unpacked.code !== 0) throw new Failure(`${name} cannot be unpacked: ${tail(unpacked.stderr, 3)}`);
    rmSync(room, { recursive: true });
  }
}

/** The answer's head; from then on `stop` ends it. */
async function answer(url: string, stop: AbortController, limits: Limits): Promise<Response> {
  const timer = setTimeout(() => stop.abort(new Error("no answer")), limits.answer);
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response;
  } catch (error) {
    throw new Failure(`${url}: ${reason(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

async function fetchText(url: string, limits: Limits): Promise<string> {
  let text = "";
  await receive(url, limits, async (body) => {
    for await (const piece of body.setEncoding("utf8")) text += String(piece);
  });
  return text;
}

const fetchTo = (url: string, file: string, limits: Limits): Promise<void> =>
  receive(url, limits, (body) => pipeline(body, createWriteStream(file)));

/** Takes a whole answer, as long as pieces of it keep coming. */
async function receive(url: string, limits: Limits, take: (body: Readable) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const response = await answer(url, stop, limits);
  if (!response.body) throw new Failure(`${url}: empty answer`);
  let timer: NodeJS.Timeout | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new Error("it stopped sending")), limits.piece);
  };
  const body = Readable.fromWeb(response.body);
  body.prependListener("data", alive).pause();
  alive();
  try {
    await take(body);
  } catch (error) {
    throw new Failure(`${url}: ${reason(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
