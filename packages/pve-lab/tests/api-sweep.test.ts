/** Every route that answers, and every way in which its description lets a request be wrong. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { describe as describedRoute } from "../src/api/description.ts";
import { asRoot, makeNode, PASSWORD, type TestNode } from "./api-node.ts";
import { wrongRequests, type WrongRequest } from "./wrong-requests.ts";

let node: TestNode;
let root: Record<string, string>;

beforeAll(async () => {
  node = await makeNode(allRoutes);
  root = await asRoot(node, PASSWORD);
});
afterAll(() => node.close());

const routes = allRoutes.map(({ method, path }) => ({ name: `${method} ${path}`, method, path }));
const variablesOf = (path: string): string[] =>
  [...path.matchAll(/\{(.+?)\}/g)].map(([, name]) => name ?? "");

async function send(method: string, path: string, { values }: WrongRequest): Promise<unknown> {
  const variables = variablesOf(path);
  const url = path.replaceAll(/\{(.+?)\}/g, (_all, name: string) =>
    encodeURIComponent(String(values[name] ?? "")),
  );
  const rest = Object.fromEntries(Object.entries(values).filter(([name]) => !variables.includes(name)));
  if (path.endsWith("/upload")) {
    // Its body is the file; the parameters may stand in the query.
    const query = new URLSearchParams(
      Object.entries(rest).flatMap(([key, value]) =>
        [value].flat().map((one): [string, string] => [key, one]),
      ),
    );
    const { status, body } = await node.ask(method, `${url}?${query.toString()}`, undefined, root);
    return { status, message: body.message, errors: body.errors };
  }
  const { status, body } = await node.ask(method, url, rest, root);
  return { status, message: body.message, errors: body.errors };
}

describe("wrong requests", () => {
  it("are many", () => {
    const all = routes.flatMap(({ name, path }) =>
      wrongRequests(describedRoute(name)?.parameters.properties ?? {}, variablesOf(path)),
    );
    expect(all.length).toBeGreaterThan(1800);
  });

  it.each(routes)("to $name", async ({ name, method, path }) => {
    const properties = describedRoute(name)?.parameters.properties ?? {};
    for (const request of wrongRequests(properties, variablesOf(path))) {
      const got = { what: request.what, answer: await send(method, path, request) };
      const answer = { status: 400, message: "Parameter verification failed.\n", errors: request.errors };
      expect(got).toEqual({ what: request.what, answer });
    }
  });
});
