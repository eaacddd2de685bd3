import type { FastifyRequest } from "fastify";
import { percentDecode } from "../core/percent.ts";
import { ApiError } from "../core/route.ts";

/** What PVE's HTTP server refuses by itself, before any handler: the body is the bare text, not JSON. */
export class TransportError extends ApiError {}

/** The same for those whom PVE does not know: no body at all. */
export class UnauthorizedError extends TransportError {}

export type Format = "json" | "extjs";
export interface Target {
  readonly format: Format;
  /** Decoded as a whole: a percent-encoded slash separates, as it does in PVE. */
  readonly path: string;
}

const METHODS = new Set(["GET", "POST", "PUT", "DELETE"]);
/** PVE takes no larger form or JSON body. */
const MOST_BYTES = 512 * 1024;
const UPLOAD = /^\/nodes\/[^/]+\/storage\/[^/]+\/upload$/;

/** Splits a URL into output format and path. @throws TransportError 501 */
export function targetOf(url: string): Target {
  const [path = ""] = percentDecode(url.split("?")[0] ?? "").split("\0");
  if (!path.startsWith("/api2"))
    throw new TransportError(501, `the lab serves /api2/json and /api2/extjs only, not '${path}'`);
  const [, format, rest = "/"] = /^\/api2\/+([a-z][a-z0-9]+)(\/.*)?$/s.exec(path) ?? [];
  if (format === undefined) throw new TransportError(501, "no such uri");
  if (format !== "json" && format !== "extjs")
    throw new TransportError(501, `no formatter for uri ${rest}, ${format}`);
  return { format, path: rest };
}

/** Refuses what PVE::APIServer::AnyEvent refuses by the request's head alone. @throws TransportError */
export function checkHead(request: FastifyRequest): void {
  const { method, headers } = request;
  if (!METHODS.has(method)) throw new TransportError(501, `method '${method}' not available`);
  const encoding = headers["transfer-encoding"];
  if (encoding?.toLowerCase() === "chunked")
    throw new TransportError(501, "chunked transfer encoding not supported");
  if (encoding !== undefined) throw new TransportError(501, `Unknown transfer encoding '${encoding}'`);
}

/** Refuses bodies that PVE does not read; it asks who is calling first. @throws TransportError */
export function checkBody(request: FastifyRequest, path: string): void {
  const { method, headers } = request;
  const length = Number(headers["content-length"] ?? 0);
  if (length === 0) return;
  if (method !== "POST" && method !== "PUT")
    throw new TransportError(501, `Unexpected content for method '${method}'`);
  const full = headers["content-type"];
  const type = full?.split(/\s*[;,]\s*/)[0];
  if (UPLOAD.test(path)) {
    if (type !== "multipart/form-data" || !request.isMultipart())
      throw new TransportError(500, `upload 'Content-Type '${full ?? ""}' not implemented`);
    return;
  }
  if (length > MOST_BYTES) throw new TransportError(501, "for data too large");
  if (type !== undefined && type !== "application/x-www-form-urlencoded" && type !== "application/json")
    throw new TransportError(506, `upload 'Content-Type '${full ?? ""}' not implemented`);
}
