/**
 * Every route that declares a privilege: without it 403 and its name, with it the request comes through to the check of
 * its parameters. What is expected is written from PVE::RPCEnvironment::exec_api2_perm_check.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allRoutes } from "../src/api/all-routes.ts";
import { describe as describedRoute } from "../src/api/description.ts";
import { changeUserConfig } from "../src/core/user-config.ts";
import { asRoot, makeNode, PASSWORD, type TestNode } from "./api-node.ts";
import { fittingRequest } from "./wrong-requests.ts";

type Check = readonly unknown[];
type Values = Readonly<Record<string, string>>;
interface Need {
  readonly path: string;
  readonly privileges: readonly string[];
  readonly any: boolean;
}

const USER = "eve@pve";
let node: TestNode;
let headers: Record<string, string>;

beforeAll(async () => {
  node = await makeNode(allRoutes);
  const root = await asRoot(node, PASSWORD);
  await node.ask("POST", "/access/users", { userid: USER }, root);
  await node.ask("POST", "/access/users", { userid: "ada@pve" }, root);
  const token = await node.ask("POST", `/access/users/${USER}/token/t1`, { privsep: "0" }, root);
  headers = {
    authorization: `PVEAPIToken=${USER}!t1=${(token.body.data as { value: string }).value}`,
  };
});
afterAll(() => node.close());

const variablesOf = (path: string): string[] =>
  [...path.matchAll(/\{(.+?)\}/g)].map(([, name]) => name ?? "");

/** Gives the user these privileges on these paths, and nothing else. */
function grant(needs: readonly Need[]): void {
  changeUserConfig((config) => {
    config.acl = config.acl.filter(({ ugid }) => ugid !== USER);
    needs.forEach(({ path, privileges }, index) => {
      config.roles.set(`Need${index}`, new Set(privileges));
      config.acl.push({ path, kind: "user", ugid: USER, role: `Need${index}`, propagate: false });
    });
  });
}

/** The `perm` checks which have to hold together; nothing for checks of another kind. */
function needsOf(check: Check, values: Values): Need[] | undefined {
  const [kind, ...rest] = check;
  if (kind === "and") {
    const parts = rest.map((part) => needsOf(part as Check, values));
    return parts.includes(undefined) ? undefined : parts.flatMap((part) => part ?? []);
  }
  if (kind !== "perm") return undefined;
  const [template, privileges, ...options] = rest as [string, string[], ...unknown[]];
  const path = template.replaceAll(/\{(.+?)\}/g, (_all, name: string) => values[name] ?? "");
  return [{ path, privileges, any: options[options.indexOf("any") + 1] === 1 && options.includes("any") }];
}

const missing = ({ path, privileges, any }: Need): string =>
  `Permission check failed (${path}, ${any ? privileges.join("|") : (privileges[0] ?? "")})`;

interface Case {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly check: Check | undefined;
  readonly values: Values;
}
const cases: Case[] = allRoutes.flatMap(({ method, path }) => {
  const described = describedRoute(`${method} ${path}`);
  if (described?.permissions?.user !== undefined) return [];
  const values = fittingRequest(described?.parameters.properties ?? {}, variablesOf(path));
  return [{ name: `${method} ${path}`, method, path, check: described?.permissions?.check, values }];
});

/** Sends what fits, and a parameter that nobody knows: so that nothing is ever done. */
async function send({ method, path, values }: Case): Promise<[number, string]> {
  const url = path.replaceAll(/\{(.+?)\}/g, (_all, name: string) => encodeURIComponent(values[name] ?? ""));
  const variables = variablesOf(path);
  const rest = Object.fromEntries(Object.entries(values).filter(([name]) => !variables.includes(name)));
  const query = new URLSearchParams({ ...rest, "no-such-parameter": "1" });
  const { status, reason } = await node.ask(method, `${url}?${query.toString()}`, undefined, headers);
  return [status, reason];
}
const THROUGH = [400, "Parameter verification failed."];

describe("the privileges that a route declares", () => {
  it.each(cases)("$name", async (one) => {
    const needs = one.check && needsOf(one.check, one.values);
    grant([]);
    const [status, reason] = await send(one);
    if (one.check === undefined) {
      // PVE leaves these to root@pam.
      expect([status, reason]).toEqual([403, "Permission check failed (user != root@pam)"]);
      return;
    }
    expect(status).toBe(403);
    if (!needs) {
      expect(reason).toMatch(/^Permission check failed/);
      return;
    }
    const [first] = needs;
    if (first) expect(reason).toBe(missing(first));
    grant(needs);
    expect(await send(one)).toEqual(THROUGH);
    for (const need of needs) {
      const others = needs.filter((other) => other !== need);
      for (const privilege of need.privileges) {
        const left = need.privileges.filter((other) => other !== privilege);
        // Of several that would do, one is enough.
        grant([...others, { ...need, privileges: need.any ? [privilege] : left }]);
        const text = missing({ ...need, privileges: [privilege] });
        expect(await send(one)).toEqual(need.any ? THROUGH : [403, text]);
      }
    }
  });

  it("are many", () => {
    expect(cases.filter(({ check, values }) => check && needsOf(check, values)).length).toBeGreaterThan(70);
  });
});
