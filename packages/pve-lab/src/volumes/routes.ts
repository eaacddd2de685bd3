import { ApiError, type Context, type Route } from "../core/route.ts";
import { numberOf, textOf, vmidOf } from "../guests/parameters.ts";
import { allocateVolume } from "./index.ts";

/** `size` is in KiB unless it has a unit. */
export function parseAllocationSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([MG])?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const factor = match[2] === "G" ? 1024 ** 3 : match[2] === "M" ? 1024 ** 2 : 1024;
  return Math.round(Number(match[1]) * factor);
}

async function allocate({ parameters }: Context): Promise<string> {
  const size = textOf(parameters, "size") ?? String(numberOf(parameters, "size") ?? "");
  const bytes = parseAllocationSize(size);
  if (bytes === undefined || bytes === 0) throw new ApiError(500, `unable to parse size '${size}'`);
  const name = textOf(parameters, "filename");
  const wanted = name === undefined || name === "" ? undefined : name;
  // Root of the file system is the root of unprivileged guests, as for every volume that they get.
  return allocateVolume(textOf(parameters, "storage") ?? "", vmidOf(parameters), bytes, 100_000, wanted);
}

/** Guest volumes made without a guest. */
export const volumeRoutes: Route[] = [
  {
    method: "POST",
    path: "/nodes/{node}/storage/{storage}/content",
    evidence: "documented",
    handler: allocate,
  },
];
