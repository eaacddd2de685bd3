import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { expect } from "vitest";
import { bootstrapNode } from "../src/api/bootstrap.ts";
import { makeDispatcher } from "../src/api/dispatch.ts";
import { buildServer } from "../src/api/server.ts";
import type { Route } from "../src/core/route.ts";

export const TOKEN = "phoenix@pve!lab";
export const SECRET = "11111111-2222-3333-4444-555555555555";
export const PASSWORD = "a root password";

/** Asymmetric matchers with a type that is not `any`. */
export const anyNumber: unknown = expect.any(Number);
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

export interface Answer {
  status: number;
  reason: string;
  body: { data: unknown; errors?: Record<string, string>; message?: string; total?: number };
}

/** A node in a temporary folder: the API without guests, asked through Fastify's injection. */
export interface TestNode {
  readonly root: string;
  readonly app: FastifyInstance;
  ask(method: string, path: string, body?: Body, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}
type Body = Record<string, string | string[]> | { json: unknown } | undefined;

export const asToken = { authorization: `PVEAPIToken=${TOKEN}=${SECRET}` };

function encode(body: Record<string, string | string[]>): string {
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(body)) for (const one of [value].flat()) form.append(key, one);
  return form.toString();
}

export async function makeNode(routes: readonly Route[]): Promise<TestNode> {
  const root = mkdtempSync(join(tmpdir(), "pve-lab-api-"));
  process.env["PVE_LAB_ROOT"] = root;
  process.env["PVE_LAB_NODE"] = "pve";
  mkdirSync(join(root, "etc/pve-lab"), { recursive: true });
  const bootstrap = { rootPassword: PASSWORD, token: { id: TOKEN, secret: SECRET } };
  writeFileSync(join(root, "etc/pve-lab/bootstrap.json"), JSON.stringify(bootstrap));
  bootstrapNode();
  const app = await buildServer({ dispatch: makeDispatcher(routes), unauthorizedDelayMs: 0 });
  const ask: TestNode["ask"] = async (method, path, body, headers = asToken) => {
    const inQuery = body !== undefined && !("json" in body) && (method === "GET" || method === "DELETE");
    const isJson = body !== undefined && "json" in body && typeof body["json"] === "object";
    const url = `/api2/json${path}${inQuery ? `?${encode(body)}` : ""}`;
    const type = isJson ? "application/json" : "application/x-www-form-urlencoded";
    const text = isJson ? JSON.stringify(body["json"]) : encode((body ?? {}) as Record<string, string>);
    const response = await app.inject({
      method: method as "GET",
      url,
      headers: { ...headers, ...(body && !inQuery ? { "content-type": type } : {}) },
      ...(body && !inQuery ? { payload: text } : {}),
    });
    return {
      status: response.statusCode,
      reason: response.statusMessage,
      // What PVE's HTTP server itself refuses has a bare text, or nothing, for a body.
      body: response.body.startsWith("{")
        ? (JSON.parse(response.body) as Answer["body"])
        : { data: null, message: response.body },
    };
  };
  return {
    root,
    app,
    ask,
    close: async () => {
      await app.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Headers of root@pam, logged in with its password. */
export async function asRoot(node: TestNode, password: string): Promise<Record<string, string>> {
  const { body } = await node.ask("POST", "/access/ticket", { username: "root@pam", password }, {});
  const { ticket, CSRFPreventionToken: csrf } = body.data as { ticket: string; CSRFPreventionToken: string };
  return { cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}`, csrfpreventiontoken: csrf };
}
