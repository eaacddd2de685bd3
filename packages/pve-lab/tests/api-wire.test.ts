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
  const lines = [...head, "Host: pve", "Connection: close", `Content-Length: ${Buffer.byteLength(body)}`];
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
    expect(statusLine(broken)).toMatch(/^HTTP\/1\.1 400 /);
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
      errors: { storage: "duplicate parameter (already defined in URI)" },
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
