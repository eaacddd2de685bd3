import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { spawn } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "./run-script.ts";

/** The guest's half of the check, run on this machine: it needs no more than a shell. */
function inside(entry: string, ...values: (string | number)[]): Promise<{ code: number; text: string }> {
  // The script ends with its main call, which is left out; what it sources is the library.
  const text = [
    `source '${root}/bin/lib/phoenix_common.sh'`,
    `source <(sed -e '/^here=/,/^source /d' -e '/^phoenix_main /d' '${root}/bin/lxc/check_health.sh')`,
    `${entry} "$@"`,
  ].join("\n");
  return new Promise((resolve) => {
    const child = spawn("bash", ["-c", text, "bash", ...values.map(String)]);
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (piece: string) => (said += piece));
    child.on("close", (code) => resolve({ code: code ?? -1, text: said }));
  });
}

let server: Server;
let port: number;
let asked: string[];
let status: number;

beforeEach(async () => {
  asked = [];
  status = 200;
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(status).end("body");
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Arguments of one try: seconds, command, http port, path, status, tcp port. */
const tries = (command = "", http = 0, path = "/", wanted = 0, tcp = 0) => [
  5,
  command,
  http,
  path,
  wanted,
  tcp,
];

test("all that is named succeeds: healthy", async () => {
  expect(await inside("inside_check", ...tries("true", port, "/health", 200, port))).toEqual({
    code: 0,
    text: "",
  });
  expect(asked).toEqual(["/health"]);
});

test.each([
  [
    "a command that fails says how and what",
    () => tries("echo no database; exit 3"),
    /ends with 3: no database/,
  ],
  ["a pipe in a command is the shell's", () => tries("echo alive | grep -q dead"), /ends with 1/],
  ["a port where nobody listens", () => tries("", 0, "/", 0, 1), /tcp port 1: .*refused/],
  ["a page where nobody listens", () => tries("", 1), /http port 1, \/: .*refused/],
])("%s: unhealthy", async (_, values, message) => {
  const { code, text } = await inside("inside_check", ...values());
  expect(text).toMatch(message);
  expect(code).toBe(10);
});

test("a page with another status than asked for, or with an error where none is asked for", async () => {
  expect((await inside("inside_check", ...tries("", port, "/", 204))).text).toContain("the answer is 200");
  status = 503;
  expect((await inside("inside_check", ...tries("", port))).text).toContain("the answer is 503");
  status = 302;
  expect((await inside("inside_check", ...tries("", port))).code).toBe(0);
});

test("a command that hangs is ended", async () => {
  const { code, text } = await inside("inside_check", 1, "sleep 20", 0, "/", 0, 0);
  expect(text).toContain("did not end within 1 s");
  expect(code).toBe(10);
});

test("what gets healthy while it is waited for is healthy; what does not is an error of its own", async () => {
  status = 503;
  setTimeout(() => (status = 200), 1200);
  expect((await inside("inside_wait", 5, 1, ...tries("", port))).code).toBe(0);
  expect(asked.length).toBeGreaterThan(1);
  status = 500;
  const { code, text } = await inside("inside_wait", 2, 1, ...tries("", port));
  expect(text).toMatch(/the answer is 500[^]*not healthy after 2 tries, 1 s apart/);
  expect(code).toBe(32);
});
