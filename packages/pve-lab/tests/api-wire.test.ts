/** Down to the wire: a real TLS server, raw requests, the status line as clients read it. */
import { connect, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { ensureCertificate } from "../src/api/bootstrap.ts";
import { makeDispatcher } from "../src/api/dispatch.ts";
import { certificateFingerprint } from "../src/api/node-facts.ts";
import { buildServer } from "../src/api/server.ts";
import { asToken, makeNode, type TestNode } from "./api-node.ts";

let node: TestNode;
let server: FastifyInstance;
let port: number;

beforeAll(async () => {
  node = await makeNode([]);
  server = await buildServer({
    dispatch: makeDispatcher(allRoutes),
    tls: ensureCertificate(),
    unauthorizedDelayMs: 300,
  });
  await server.listen({ port: 0, host: "127.0.0.1" });
  port = (server.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await server.close();
  await node.close();
});

function open(version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3"): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", rejectUnauthorized: false, ciphers: "DEFAULT@SECLEVEL=0" };
    const socket: TLSSocket = connect({ ...options, minVersion: version, maxVersion: version }, () =>
      resolve(socket),
    );
    socket.on("error", reject);
  });
}

/** Sends lines as they are and returns everything that comes back. */
async function raw(head: string[], body = "", version: "TLSv1.2" | "TLSv1.3" = "TLSv1.3"): Promise<string> {
  const socket = await open(version);
  const length = head.some((line) => /^(?:content-length|transfer-encoding):/i.test(line))
    ? []
    : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [...head, "Host: pve", "Connection: close", ...length];
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
const token = `Authorization: ${asToken.authorization}`;
const form = "Content-Type: application/x-www-form-urlencoded";
const statusLine = (answer: string): string | undefined => answer.split("\r\n")[0];
const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));

describe("TLS", () => {
  it("speaks 1.2 and 1.3 and nothing older, under the certificate that the node shows", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await open(version);
      expect(socket.getPeerCertificate().fingerprint256).toBe(certificateFingerprint());
      socket.destroy();
    }
    await expect(open("TLSv1.1")).rejects.toThrow();
  });
});

describe("the status line", () => {
  it("carries PVE's text", async () => {
    const bad = await raw(["POST /api2/json/storage HTTP/1.1", token, form], "storage=x%20y&type=dir");
    expect(statusLine(bad)).toBe("HTTP/1.1 400 Parameter verification failed.");
    expect(bodyOf(bad)).toMatchObject({ data: null, message: "Parameter verification failed.\n" });
    const gone = await raw(["GET /api2/json/storage/nothing HTTP/1.1", token]);
    expect(statusLine(gone)).toBe("HTTP/1.1 500 storage 'nothing' does not exist");
    const unknown = await raw(["GET /api2/json/no/where HTTP/1.1", token]);
    expect(statusLine(unknown)).toBe("HTTP/1.1 501 Method 'GET /no/where' not implemented");
  });

  it("makes the unauthorised wait", async () => {
    const since = performance.now();
    const answer = await raw(["GET /api2/json/version HTTP/1.1"]);
    expect(statusLine(answer)).toBe("HTTP/1.1 401 No ticket");
    expect(performance.now() - since).toBeGreaterThan(290);
  });
});

describe("bodies", () => {
  it("come as forms, with keys repeated, as JSON, empty, or unnamed", async () => {
    const repeated = await raw(
      ["PUT /api2/json/storage/local HTTP/1.1", token, form],
      "content=iso&content=vztmpl",
    );
    expect(statusLine(repeated)).toBe("HTTP/1.1 200 OK");
    const read = await raw(["GET /api2/json/storage/local HTTP/1.1", token]);
    expect(bodyOf(read)).toMatchObject({ data: { content: "iso,vztmpl" } });
    const json = '{"content":"iso,vztmpl,backup"}';
    const asJson = await raw(
      ["PUT /api2/json/storage/local HTTP/1.1", token, "Content-Type: application/json"],
      json,
    );
    expect(statusLine(asJson)).toBe("HTTP/1.1 200 OK");
    const empty = await raw([
      "PUT /api2/json/storage/local HTTP/1.1",
      token,
      "Content-Type: application/json",
    ]);
    expect(statusLine(empty)).toBe("HTTP/1.1 200 OK");
    const unnamed = await raw(["PUT /api2/json/storage/local HTTP/1.1", token], "content=iso");
    expect(statusLine(unnamed)).toBe("HTTP/1.1 200 OK");
    const broken = await raw(
      ["PUT /api2/json/storage/local HTTP/1.1", token, "Content-Type: application/json"],
      "{",
    );
    expect(statusLine(broken)).toBe("HTTP/1.1 500 malformed JSON string");
  });

  it("of a GET do not count, its query does; extjs says success in the body", async () => {
    const answer = await raw(["GET /api2/extjs/storage/nothing HTTP/1.1", token]);
    expect(statusLine(answer)).toBe("HTTP/1.1 200 OK");
    expect(bodyOf(answer)).toMatchObject({
      success: 0,
      status: 500,
      message: "storage 'nothing' does not exist\n",
    });
    const twice = await raw(["GET /api2/json/storage/local?storage=other HTTP/1.1", token]);
    expect(bodyOf(twice)).toMatchObject({
      errors: { storage: "duplicate parameter (already defined in URI) with conflicting values!" },
    });
  });

  it("may name a path percent-encoded, slashes and all", async () => {
    const path = "/api2/json/nodes/pve/storage/local/content/local%3Aiso%2Fnone.iso";
    const answer = await raw([`DELETE ${path} HTTP/1.1`, token]);
    expect(statusLine(answer)).toBe("HTTP/1.1 500 unable to remove 'local:iso/none.iso' - no such volume");
    const plain = await raw([`DELETE ${decodeURIComponent(path)} HTTP/1.1`, token]);
    expect(statusLine(plain)).toBe(statusLine(answer));
  });
});

describe("what PVE's HTTP server refuses by itself", () => {
  const of = async (head: string[], body?: string): Promise<[string | undefined, string]> => {
    const answer = await raw(head, body);
    return [statusLine(answer), answer.slice(answer.indexOf("\r\n\r\n") + 4)];
  };
  const put = "PUT /api2/json/storage/local HTTP/1.1";

  it.each(["HEAD", "OPTIONS", "PATCH", "PROPFIND"])("the method %s", async (method) => {
    const [line] = await of([`${method} /api2/json/version HTTP/1.1`, token]);
    expect(line).toBe(`HTTP/1.1 501 method '${method}' not available`);
  });

  it("bodies that it does not read: too large, chunked, of another kind, where none belongs", async () => {
    const large = await of([put, token, form, `Content-Length: ${512 * 1024 + 1}`]);
    expect(large).toEqual(["HTTP/1.1 501 for data too large", "for data too large"]);
    const chunked = await of([put, token, form, "Transfer-Encoding: chunked"], "0\r\n\r\n");
    expect(chunked[0]).toBe("HTTP/1.1 501 chunked transfer encoding not supported");
    const kind = await of([put, token, "Content-Type: text/plain"], "content=iso");
    expect(kind[0]).toBe("HTTP/1.1 506 upload 'Content-Type 'text/plain' not implemented");
    const get = await of(["GET /api2/json/version HTTP/1.1", token, form], "a=b");
    expect(get[0]).toBe("HTTP/1.1 501 Unexpected content for method 'GET'");
    const list = await of([put, token, "Content-Type: application/json"], "[]");
    expect(list[0]).toBe("HTTP/1.1 500 Not a HASH reference");
  });

  it("formats that it does not write, and what is none", async () => {
    const yaml = await of(["GET /api2/yaml/version HTTP/1.1", token]);
    expect(yaml[0]).toBe("HTTP/1.1 501 no formatter for uri /version, yaml");
    expect((await of(["GET /api2/ HTTP/1.1", token]))[0]).toBe("HTTP/1.1 501 no such uri");
  });

  it("callers whom it does not know: before their body, and without one of its own", async () => {
    const answer = await of(["POST /api2/json/storage HTTP/1.1", "Content-Type: application/json"], "{");
    expect(answer).toEqual(["HTTP/1.1 401 No ticket", ""]);
  });
});

it("a flag has more spellings on the node's command line than over the network", async () => {
  const disable = ["PUT /api2/json/storage/local HTTP/1.1", token, form];
  const wrong = bodyOf(await raw(disable, "disable=no"));
  expect(wrong).toMatchObject({ errors: { disable: "type check ('boolean') failed - got 'no'" } });
  const local = await buildServer({ dispatch: makeDispatcher(allRoutes), identity: { user: "root@pam" } });
  const typed = await local.inject({
    method: "PUT",
    url: "/api2/json/storage/local",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: "disable=No",
  });
  expect(typed.statusCode).toBe(200);
  await local.close();
});

describe("what PVE reads as it stands", () => {
  it.each(["%", "%zz", "%e4", "%00", "a%2"])("the broken percent encoding %s", async (text) => {
    const inPath = await raw([`GET /api2/json/storage/x${text} HTTP/1.1`, token]);
    expect(statusLine(inPath)).toMatch(/^HTTP\/1\.1 (?:400|500|501) /);
    const inQuery = await raw([`GET /api2/json/storage?type=${text} HTTP/1.1`, token]);
    expect(statusLine(inQuery)).toBe("HTTP/1.1 400 Parameter verification failed.");
    const inBody = await raw(["PUT /api2/json/storage/local HTTP/1.1", token, form], `content=!${text}`);
    expect(statusLine(inBody)).toBe("HTTP/1.1 400 Parameter verification failed.");
    const inCookie = await raw(["GET /api2/json/version HTTP/1.1", `Cookie: PVEAuthCookie=${text}`]);
    expect(statusLine(inCookie)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it("a whole path percent-encoded, more slashes than needed, and the browser's counter", async () => {
    const upid = "UPID:pve:00001234:00000063:6B000000:vzcreate:900:root@pam:";
    const path = `/api2/json//nodes/pve/tasks/${encodeURIComponent(upid)}/status/`;
    const answer = await raw([`GET ${path}?_dc=1 HTTP/1.1`, token]);
    expect(bodyOf(answer)).toMatchObject({ errors: { upid: "no such task" } });
    const blank = await raw(["GET /api2/json/storage/a%20b HTTP/1.1", token]);
    expect(statusLine(blank)).toBe("HTTP/1.1 501 Method 'GET /storage/a b' not implemented");
  });
});
