import { expect, test } from "vitest";
import type { NodeApi } from "../../components/lxc/guest-on-node.ts";
import { formatMark } from "../../components/lxc/mark.ts";
import { surveyContainers } from "../../components/lxc/survey.ts";
import { PveApiError } from "../../components/node/pve-api.ts";
import type { ContainerSpec } from "../../model/index.ts";

const spec = (vmid: number, allow: string[]) => ({ vmid, allow }) as unknown as ContainerSpec;
const recipes = new Map([[910, "bb22"]]);

/** A node that answers for 910's configuration in one way, and says whether the vmid is free. */
function node(config: () => Promise<unknown>, free: boolean): { api: NodeApi; asked: string[] } {
  const asked: string[] = [];
  const call = (_: string, path: string): Promise<unknown> => {
    asked.push(path);
    if (!path.startsWith("/cluster/nextid")) return config();
    return free ? Promise.resolve("910") : Promise.reject(new PveApiError(400, "VM 910 already exists"));
  };
  return { api: { node: "pve", call }, asked };
}

const missing = () => Promise.reject(new PveApiError(500, "Configuration file 'x' does not exist"));

test("only containers that may be replaced are looked at", async () => {
  const { api, asked } = node(missing, true);
  expect(await surveyContainers(api, [spec(910, ["destroy"])], recipes)).toEqual(new Map());
  expect(asked).toEqual([]);
});

test("one of an older generation is known by its mark, and its volumes are named", async () => {
  const description = formatMark({
    stack: "dev",
    vmid: 910,
    incarnation: "0123456789abcdef",
    recipe: "aa11",
  });
  const config = {
    description,
    mp0: "tank:subvol-910-disk-1,mp=/data",
    mp1: "/host/folder,mp=/x",
    unused0: "y",
  };
  const { api } = node(() => Promise.resolve(config), false);
  const survey = (await surveyContainers(api, [spec(910, ["replace"])], recipes)).get(910);
  expect(survey).toEqual({ older: true, data: ["mp0", "unused0"] });
});

test("one that is not there holds nothing; one that cannot be read is no such one", async () => {
  const gone = node(missing, true);
  const wanted = [spec(910, ["replace"])];
  expect((await surveyContainers(gone.api, wanted, recipes)).get(910)).toEqual({ older: false, data: [] });
  for (const status of [403, 500, 503]) {
    const deaf = node(() => Promise.reject(new PveApiError(status, "no")), false);
    await expect(surveyContainers(deaf.api, wanted, recipes)).rejects.toThrow("no");
  }
});
