import { createWriteStream, mkdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { percentDecode } from "../core/percent.ts";
import { place } from "../core/places.ts";
import type { Context } from "../core/route.ts";
import { TransportError } from "./transport.ts";

/** Parameters as they came: a form gives texts, lists where a key is repeated, and null for a key without `=`. */
export type Values = Record<string, unknown>;
type Uploads = Record<string, Context["uploads"][string]>;

/** Where PVE spools uploads too. */
const SPOOL = "/var/tmp";

/** Bodies are read by {@link readParameters}, after the caller is known, as PVE does. */
export async function acceptBodies(app: FastifyInstance): Promise<void> {
  await app.register(multipart, { limits: { fileSize: Number.MAX_SAFE_INTEGER, files: 1 } });
  app.removeContentTypeParser(["application/json", "text/plain"]);
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
}

const decodePart = (text: string): string => percentDecode(text.replaceAll("+", " "));

/** Reads `a=b&c=d` as PVE::APIServer::AnyEvent::decode_urlencoded does. */
export function parseForm(text: string): Values {
  const values: Values = {};
  for (const pair of text.split(/[&;]/)) {
    const [key = "", value] = pair.split("=");
    if (key === "") continue;
    const name = decodePart(key);
    const old = values[name];
    const now = value === undefined ? null : decodePart(value);
    if (now === null || old === undefined || old === null) values[name] = now;
    else values[name] = Array.isArray(old) ? [...(old as unknown[]), now] : [old, now];
  }
  return values;
}

function parseJson(text: string): Values {
  // PVE's parser dies of an empty body; clients that say JSON and send nothing are let through here.
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new TransportError(500, "malformed JSON string");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new TransportError(500, "Not a HASH reference");
  return { ...body };
}

async function readMultipart(request: FastifyRequest): Promise<{ values: Values; uploads: Uploads }> {
  const values: Values = {};
  const uploads: Uploads = {};
  mkdirSync(place(SPOOL), { recursive: true });
  for await (const part of request.parts()) {
    if (part.type === "file") {
      if (part.fieldname !== "filename")
        throw new TransportError(
          500,
          `wrong field name '${part.fieldname}' for file upload, expected 'filename'`,
        );
      const path = place(`${SPOOL}/pveupload-${randomBytes(16).toString("hex")}`);
      await pipeline(part.file, createWriteStream(path, { mode: 0o600 }));
      uploads[part.fieldname] = { path, filename: part.filename };
      values[part.fieldname] = part.filename;
    } else values[part.fieldname] = String(part.value);
  }
  return { values, uploads };
}

async function readText(request: FastifyRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.raw) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Parameters of a request as PVE takes them: body of POST and PUT, then the query, which wins. */
export async function readParameters(request: FastifyRequest): Promise<{ values: Values; uploads: Uploads }> {
  const query = parseForm(request.originalUrl.split("?").slice(1).join("?"));
  // Browsers add it against caches.
  Reflect.deleteProperty(query, "_dc");
  const hasBody = request.method === "POST" || request.method === "PUT";
  if (!hasBody) return { values: query, uploads: {} };
  if (request.isMultipart()) {
    const { values, uploads } = await readMultipart(request);
    return { values: { ...values, ...query }, uploads };
  }
  const text = await readText(request);
  const type = request.headers["content-type"]?.split(/\s*[;,]\s*/)[0];
  const values = type === "application/json" ? parseJson(text) : parseForm(text);
  Reflect.deleteProperty(values, "_dc");
  return { values: { ...values, ...query }, uploads: {} };
}
