import { createWriteStream, mkdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import formBody from "@fastify/formbody";
import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { place } from "../core/places.ts";
import { ApiError, type Context, type Method } from "../core/route.ts";

export type Values = Record<string, unknown>;
type Uploads = Record<string, Context["uploads"][string]>;

/** Where PVE spools uploads too. */
const SPOOL = "/var/tmp";

export async function acceptBodies(app: FastifyInstance): Promise<void> {
  await app.register(formBody);
  await app.register(multipart, { limits: { fileSize: Number.MAX_SAFE_INTEGER, files: 1 } });
  app.removeContentTypeParser("application/json");
  // An empty body is no parameters, also with this content type.
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    const text = body.toString();
    try {
      done(null, text === "" ? {} : JSON.parse(text));
    } catch {
      done(new ApiError(400, "malformed JSON string"));
    }
  });
  // Clients send bodies without saying what they are; PVE reads them as a form.
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    done(null, parseForm(body.toString()));
  });
}

/** Repeated keys become one text, NUL between the values, as PVE's server hands them on. */
function joinRepeated(values: Values): Values {
  const flat = Object.entries(values).map(([key, value]) => [
    key,
    Array.isArray(value) && value.every((one) => typeof one === "string") ? value.join("\0") : value,
  ]);
  return Object.fromEntries(flat) as Values;
}

function parseForm(text: string): Values {
  const values: Values = {};
  for (const [key, value] of new URLSearchParams(text))
    values[key] = typeof values[key] === "string" ? `${values[key]}\0${value}` : value;
  return values;
}

async function readMultipart(request: FastifyRequest): Promise<{ values: Values; uploads: Uploads }> {
  const values: Values = {};
  const uploads: Uploads = {};
  mkdirSync(place(SPOOL), { recursive: true });
  for await (const part of request.parts()) {
    if (part.type === "file") {
      const path = place(`${SPOOL}/pveupload-${randomBytes(16).toString("hex")}`);
      await pipeline(part.file, createWriteStream(path, { mode: 0o600 }));
      uploads[part.fieldname] = { path, filename: part.filename };
      values[part.fieldname] = part.filename;
    } else values[part.fieldname] = String(part.value);
  }
  return { values, uploads };
}

/** Parameters of a request as PVE takes them: body of POST and PUT, then the query, which wins. */
export async function readParameters(request: FastifyRequest): Promise<{ values: Values; uploads: Uploads }> {
  const method = request.method as Method;
  const query = parseForm(request.raw.url?.split("?").slice(1).join("?") ?? "");
  if (method !== "POST" && method !== "PUT") return { values: query, uploads: {} };
  if (request.isMultipart()) {
    const { values, uploads } = await readMultipart(request);
    return { values: { ...values, ...query }, uploads };
  }
  const body = request.body;
  if (body !== undefined && body !== null && (typeof body !== "object" || Array.isArray(body)))
    throw new ApiError(400, "Parameter verification failed.", { body: "an object is expected" });
  const json = request.headers["content-type"]?.startsWith("application/json") ?? false;
  const values = (body ?? {}) as Values;
  return { values: { ...(json ? values : joinRepeated(values)), ...query }, uploads: {} };
}
