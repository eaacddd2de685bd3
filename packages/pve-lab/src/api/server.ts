import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { authenticate, authIdOf } from "../core/authenticate.ts";
import { Answer, ApiError, type Identity, type Method } from "../core/route.ts";
import { acceptBodies, readParameters, type Values } from "./body.ts";
import type { Dispatcher } from "./dispatch.ts";
import { logRequest } from "./request-log.ts";

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

interface Target {
  readonly format: "json" | "extjs";
  readonly path: string;
}

function targetOf(url: string): Target | undefined {
  const [, format, path] = /^\/api2\/(json|extjs)(\/[^?]*)?(?:\?.*)?$/.exec(url) ?? [];
  return format === "json" || format === "extjs" ? { format, path: path ?? "/" } : undefined;
}

async function answer(options: ServerOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const started = performance.now();
  const method = request.method as Method;
  const target = targetOf(request.raw.url ?? "/");
  let identity = options.identity;
  let values: Values = {};
  let outcome: Outcome;
  let spooled: string[] = [];
  try {
    if (!target)
      throw new ApiError(
        501,
        `the lab serves /api2/json and /api2/extjs only, not '${request.raw.url ?? ""}'`,
      );
    const identify = (): Identity => {
      const { authorization, cookie, csrfpreventiontoken } = request.headers;
      const csrfToken = typeof csrfpreventiontoken === "string" ? csrfpreventiontoken : undefined;
      identity ??= authenticate({ authorization, cookie, csrfToken }, method);
      return identity;
    };
    const read = await readParameters(request);
    values = read.values;
    spooled = Object.values(read.uploads).map(({ path }) => path);
    const call = { method, path: target.path, values, uploads: read.uploads };
    const result = await options.dispatch(call, identify);
    outcome =
      result instanceof Answer
        ? { status: 200, data: result.data, attributes: result.attributes }
        : { status: 200, data: result };
  } catch (error) {
    // A handler that took an upload over has moved it away by now.
    for (const path of spooled) rmSync(path, { force: true });
    outcome = outcomeOf(error);
    if (outcome.status >= 500 && !(error instanceof ApiError) && error instanceof Error)
      process.stderr.write(`${method} ${request.raw.url ?? ""}: ${error.stack ?? error.message}\n`);
  }
  if (outcome.status === 401) await sleep(options.unauthorizedDelayMs ?? 3000);
  const extjs = target?.format === "extjs";
  const body = bodyOf(outcome, extjs);
  reply.code(extjs && outcome.status !== 401 ? 200 : outcome.status);
  if (outcome.message !== undefined && !extjs) reply.raw.statusMessage = reasonPhrase(outcome.message);
  logRequest({
    method,
    path: target?.path ?? request.raw.url ?? "/",
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
    .header("content-type", "application/json;charset=UTF-8")
    .header("cache-control", "max-age=0")
    .header("server", "pve-api-daemon/3.0")
    .send(JSON.stringify(body));
}

/** A server for the API; the caller lets it listen. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const common = { logger: false, forceCloseConnections: true, routerOptions: { maxParamLength: 4096 } };
  const app: FastifyInstance = options.tls
    ? Fastify({ ...common, https: { ...options.tls, minVersion: "TLSv1.2" } })
    : Fastify(common);
  await acceptBodies(app);
  app.setErrorHandler(async (error, _request, reply) => {
    const outcome = outcomeOf(error);
    reply.raw.statusMessage = reasonPhrase(outcome.message ?? "");
    await reply.code(outcome.status).send(JSON.stringify(bodyOf(outcome, false)));
  });
  app.route({
    method: ["GET", "POST", "PUT", "DELETE"],
    url: "*",
    handler: (request, reply) => answer(options, request, reply),
  });
  return app;
}
