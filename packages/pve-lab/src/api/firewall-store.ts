/** A guest's firewall file as routes use it: read with its digest, changed under its lock. */
import { digestOf, readTextOr, writeFileAtomic } from "../core/files.ts";
import { withLock } from "../core/locks.ts";
import { place } from "../core/places.ts";
import { ApiError, type Context, type Parameters } from "../core/route.ts";
import { asText } from "../core/text.ts";
import { formatFirewall, parseFirewall, type FirewallFile } from "./firewall-file.ts";

const fileOf = (parameters: Parameters): string =>
  place(`/etc/pve/firewall/${asText(parameters["vmid"])}.fw`);

export function invalid(errors: Record<string, string>): ApiError {
  return new ApiError(400, "Parameter verification failed.", errors);
}

export function readFirewall(parameters: Parameters): { file: FirewallFile; digest: string } {
  const text = readTextOr(fileOf(parameters), "");
  return { file: parseFirewall(text), digest: digestOf(text) };
}

/** @throws ApiError 500 when the caller's digest is not the file's */
export async function changeFirewall(context: Context, action: (file: FirewallFile) => void): Promise<null> {
  const { parameters } = context;
  const name = `firewall-${asText(parameters["vmid"])}`;
  return withLock(name, 10, () => {
    const { file, digest } = readFirewall(parameters);
    if (parameters["digest"] !== undefined && parameters["digest"] !== digest)
      throw new ApiError(500, "detected modified configuration - file changed by other user? Try again.");
    action(file);
    writeFileAtomic(fileOf(parameters), formatFirewall(file));
    return null;
  });
}
