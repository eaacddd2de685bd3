import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { IncomingMessage } from "node:http";
import { copyFile } from "node:fs/promises";
import { ApiError, type Context, type Parameters, type Route, type TaskLog } from "../../core/route.ts";
import { requireEnabledStorage, type Storage } from "../../core/storage-config.ts";
import { FILE_CONTENT, filePath } from "../../core/volume-id.ts";
import { openUrl } from "../open-url.ts";
import { percentDecode } from "../../core/percent.ts";
import { asText } from "../../core/text.ts";

function invalid(errors: Record<string, string>): ApiError {
  return new ApiError(400, "Parameter verification failed.", errors);
}

/** As PVE::Storage::normalize_content_filename: no folders, no spaces, few signs. */
export function normalizeFileName(name: string): string {
  return name.replace(/^.*[/\\]/, "").replaceAll(/[^A-Za-z0-9_.\-+~]/g, "_");
}

/** Where a file of this content and name goes. @throws ApiError 400 for a name that does not fit, 500 for a storage that does not */
function targetOf(storage: Storage, content: string, name: string): string {
  const rule = FILE_CONTENT[content];
  const fileName = normalizeFileName(name);
  if (!rule?.pattern.test(fileName) || fileName.length === 0)
    throw invalid({
      filename: content === "import" ? "wrong file extension" : "missing filename or wrong extension",
    });
  if (!storage.content.includes(content))
    throw new ApiError(500, `storage '${storage.id}' is not configured for content-type '${content}'`);
  return filePath(storage, `${rule.prefix}/${fileName}`);
}

const lengthOf = (response: IncomingMessage): number | undefined =>
  response.headers["content-length"] === undefined ? undefined : Number(response.headers["content-length"]);

async function queryMetadata({ parameters }: Context): Promise<unknown> {
  const url = asText(parameters["url"]);
  const response = await openUrl(url, "HEAD", parameters["verify-certificates"] !== false).catch(
    (error: unknown) => {
      throw new ApiError(
        500,
        `invalid server response: '500 ${error instanceof Error ? error.message : String(error)}'`,
      );
    },
  );
  response.message.destroy();
  const { statusCode, statusMessage, headers } = response.message;
  if (statusCode !== 200)
    throw new ApiError(500, `invalid server response: '${statusCode} ${statusMessage ?? ""}'`);
  const disposition = /filename="?([^";]+)"?/.exec(headers["content-disposition"] ?? "")?.[1];
  const filename = disposition ?? percentDecode(new URL(response.url).pathname.split("/").pop() ?? "");
  const size = lengthOf(response.message);
  return {
    filename: normalizeFileName(filename),
    ...(size === undefined ? {} : { size }),
    mimetype: headers["content-type"]?.split(";")[0] ?? "application/octet-stream",
  };
}

export async function digestOfFile(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function checkSum(path: string, algorithm: unknown, expected: unknown, log: TaskLog): Promise<void> {
  if (algorithm === undefined || expected === undefined) return;
  log(`calculating checksum...`);
  const got = await digestOfFile(path, asText(algorithm));
  if (got.toLowerCase() !== asText(expected).toLowerCase())
    throw new Error(`checksum mismatch: got '${got}' != expect '${asText(expected)}'`);
  log("OK, checksum verified");
}

/** Says how far a download is, at every tenth of it. */
function progress(size: number | undefined, log: TaskLog): Transform {
  let seen = 0;
  let told = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      seen += chunk.length;
      const percent = size ? Math.floor((seen / size) * 100) : 0;
      if (percent >= told + 10) {
        told = percent;
        log(`${Math.floor(seen / 1024)}K ${percent}%`);
      }
      done(null, chunk);
    },
  });
}

/** Downloads by the parameters of `download-url`: `url`, `checksum`, `verify-certificates`, `compression`, … */
export async function fetchFile(
  p: Parameters,
  target: string,
  log: TaskLog,
  signal: AbortSignal,
): Promise<void> {
  const url = asText(p["url"]);
  const temporary = `${target}.tmp_dwnl.${process.pid}.${Date.now()}`;
  log(`downloading ${url} to ${target}`);
  if (existsSync(target)) {
    if (p["checksum"] === undefined) throw new Error(`refusing to override existing file '${target}'`);
    await checkSum(target, p["checksum-algorithm"], p["checksum"], log).catch(() => {
      throw new Error(`refusing to override existing file with mismatched checksum '${target}'`);
    });
    log(`file already exists - no need to download`);
    return;
  }
  mkdirSync(dirname(target), { recursive: true });
  try {
    const { message } = await openUrl(url, "GET", p["verify-certificates"] !== false);
    if (message.statusCode !== 200) {
      message.destroy();
      throw new Error(`download failed: ${message.statusCode} ${message.statusMessage ?? ""}`);
    }
    await pipeline(message, progress(lengthOf(message), log), createWriteStream(temporary, { mode: 0o644 }), {
      signal,
    });
    await checkSum(temporary, p["checksum-algorithm"], p["checksum"], log);
    if (p["compression"] !== undefined) await decompress(temporary, asText(p["compression"]));
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
  log(`download of '${url}' to '${target}' finished`);
}

async function decompress(path: string, compression: string): Promise<void> {
  if (compression !== "gz") throw new Error(`compression '${compression}' is not implemented in the lab`);
  const plain = `${path}.plain`;
  await pipeline(createReadStream(path), createGunzip(), createWriteStream(plain));
  renameSync(plain, path);
}

function downloadUrl(context: Context): string {
  const { parameters: p } = context;
  const storage = requireEnabledStorage(asText(p["storage"]));
  const target = targetOf(storage, asText(p["content"]), asText(p["filename"]));
  if (existsSync(target) && p["checksum"] === undefined)
    throw new ApiError(500, `refusing to override existing file '${target}'`);
  const id = normalizeFileName(asText(p["filename"]));
  return context.startTask("download", id, (log, signal) => fetchFile(p, target, log, signal));
}

function upload(context: Context): string {
  const { parameters: p, uploads } = context;
  const storage = requireEnabledStorage(asText(p["storage"]));
  const file = uploads["filename"];
  if (!file) throw invalid({ filename: "no file in the request - a multipart upload is expected" });
  const target = targetOf(storage, asText(p["content"]), file.filename);
  // Out of the way of the server's clean-up, which runs when a request fails.
  const spooled = `${file.path}.accepted`;
  renameSync(file.path, spooled);
  return context.startTask("imgcopy", "", async (log) => {
    try {
      log(`starting file import from: ${file.path}`);
      log(`target node: ${asText(p["node"])}`);
      log(`target file: ${target}`);
      log(`file size is: ${statSync(spooled).size}`);
      await checkSum(spooled, p["checksum-algorithm"], p["checksum"], log);
      mkdirSync(dirname(target), { recursive: true });
      await copyFile(spooled, `${target}.tmp`);
      renameSync(`${target}.tmp`, target);
      log("finished file import successfully");
    } finally {
      rmSync(spooled, { force: true });
    }
  });
}

export const downloadRoutes: Route[] = [
  { method: "GET", path: "/nodes/{node}/query-url-metadata", evidence: "observed", handler: queryMetadata },
  {
    method: "POST",
    path: "/nodes/{node}/storage/{storage}/download-url",
    evidence: "observed",
    handler: downloadUrl,
  },
  { method: "POST", path: "/nodes/{node}/storage/{storage}/upload", evidence: "observed", handler: upload },
];
