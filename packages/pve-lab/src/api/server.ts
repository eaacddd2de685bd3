import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { authenticate, authIdOf } from "../core/authenticate.ts";
import { Answer, ApiError, type Identity, type Method } from "../core/route.ts";
import { acceptBodies, readParameters, type Values } from "./body.ts";
import type { Dispatcher } from "./dispatch.ts";
import { logRequest } from "./request-log.ts";
import {
  checkBody,
  checkHead,
  targetOf,
  TransportError,
  UnauthorizedError,
  type Target,
} from "./transport.ts";

export interface ServerOptions {
  readonly dispatch: Dispatcher;
  /** Certificate and key; without them the server speaks plain HTTP (the local socket). */
  readonly tls?: { cert: string; key: string };
  /** Who everybody is on this server: root on the local socket. */
  readonly identity?: Identity;
  /** PVE lets unauthorised calls wait, by default 3 s. */
  readonly unauthorizedDelayMs?: number;
}

interface Outcome {
  readonly status: number;
  readonly message?: string;
  readonly errors?: Readonly<Record<string, string>>;
  readonly data: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** Reason phrases are one line of printable Latin-1. */
function reasonPhrase(message: string): string {
  return message
    .trim()
    .replaceAll(/[\r\n]+/g, " ")
    .replaceAll(/[^\t\x20-\x7e\xa0-\xff]/g, "?")
    .slice(0, 2000);
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof ApiError)
    return {
      status: error.status,
      message: error.message,
      ...(error.errors ? { errors: error.errors } : {}),
      data: null,
    };
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error ? error.message : String(error);
  return { status: status >= 400 ? status : 500, message: message || "unknown error", data: null };
}

function bodyOf(outcome: Outcome, extjs: boolean): unknown {
  const { status, message, errors, data, attributes } = outcome;
  const failed = status >= 400;
  const text = message === undefined ? undefined : `${message.replace(/\n+$/, "")}\n`;
  const common = { ...attributes, data, ...(errors ? { errors } : {}), ...(failed ? { message: text } : {}) };
  return extjs ? { ...common, success: failed ? 0 : 1, ...(failed ? { status } : {}) } : common;
}

/** What goes over the wire: PVE's own HTTP server answers refusals of its own with a bare text. */
function payloadOf(error: unknown, outcome: Outcome, extjs: boolean): string {
  if (error instanceof UnauthorizedError) return "";
  if (error instanceof TransportError) return error.message;
  return JSON.stringify(bodyOf(outcome, extjs));
}

async function answer(options: ServerOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const started = performance.now();
  const method = request.method as Method;
  let target: Target | undefined;
  let identity = options.identity;
  let values: Values = {};
  let outcome: Outcome;
  let spooled: string[] = [];
  let failure: unknown;
  try {
    checkHead(request);
    target = targetOf(request.originalUrl);
    const { path } = target;
    const identify = (): Identity => {
      const { authorization, cookie, csrfpreventiontoken } = request.headers;
      const csrfToken = typeof csrfpreventiontoken === "string" ? csrfpreventiontoken : undefined;
      try {
        identity ??= authenticate({ authorization, cookie, csrfToken }, method);
      } catch (error) {
        throw error instanceof ApiError ? new UnauthorizedError(error.status, error.message) : error;
      }
      return identity;
    };
    const read = async (): ReturnType<typeof readParameters> => {
      checkBody(request, path);
      const parameters = await readParameters(request);
      values = parameters.values;
      spooled = Object.values(parameters.uploads).map((upload) => upload.path);
      return parameters;
    };
    const result = await options.dispatch(
      { method, path, read, byHand: options.identity !== undefined },
      identify,
    );
    outcome =
      result instanceof Answer
        ? { status: 200, data: result.data, attributes: result.attributes }
        : { status: 200, data: result };
  } catch (error) {
    // A handler that took an upload over has moved it away by now.
    for (const path of spooled) rmSync(path, { force: true });
    failure = error;
    outcome = outcomeOf(error);
    if (outcome.status >= 500 && !(error instanceof ApiError) && error instanceof Error)
      process.stderr.write(`${method} ${request.originalUrl}: ${error.stack ?? error.message}\n`);
  }
  if (outcome.status === 401) await sleep(options.unauthorizedDelayMs ?? 3000);
  const plain = failure instanceof TransportError;
  const extjs = target?.format === "extjs" && !plain;
  const payload = payloadOf(failure, outcome, extjs);
  reply.code(extjs ? 200 : outcome.status);
  if (outcome.message !== undefined && !extjs) reply.raw.statusMessage = reasonPhrase(outcome.message);
  logRequest({
    method,
    path: target?.path ?? request.originalUrl,
    identity: identity && authIdOf(identity),
    via: options.tls ? "https" : "socket",
    parameters: values,
    status: outcome.status,
    message: outcome.message,
    errors: outcome.errors,
    data: outcome.data,
    ms: Math.round(performance.now() - started),
  });
  await reply
    .header("content-type", plain ? "text/plain;charset=UTF-8" : "application/json;charset=UTF-8")
    .header("cache-control", "max-age=0")
    .header("server", "pve-api-daemon/3.0")
    .send(payload);
}

/** A server for the API; the caller lets it listen. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  // One handler takes everything: Fastify's own router refuses paths that PVE reads, such as a lone `%`.
  const common = {
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    rewriteUrl: () => "/",
  };
  const app: FastifyInstance = options.tls
    ? Fastify({ ...common, https: { ...options.tls, minVersion: "TLSv1.2" } })
    : Fastify(common);
  await acceptBodies(app);
  app.setErrorHandler(async (error, _request, reply) => {
    const outcome = outcomeOf(error);
    reply.raw.statusMessage = reasonPhrase(outcome.message ?? "");
    await reply.code(outcome.status).send(JSON.stringify(bodyOf(outcome, false)));
  });
  const handler = (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
    answer(options, request, reply);
  app.route({ method: ["GET", "POST", "PUT", "DELETE"], url: "/", handler });
  // Other methods: PVE refuses them, and so does the same handler.
  app.setNotFoundHandler(handler);
  return app;
}
