import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** How a stack reaches its node's SSH. */
export interface Connection {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly hostKey?: string;
}

const alias = "phoenix-node";

/**
 * Options of an `ssh` that asks nobody and trusts only the host key of the connection.
 * @param room a folder for as long as it runs
 */
export function sshOptions({ port, hostKey }: Connection, room: string): string[] {
  const options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15"];
  if (hostKey) {
    const known = join(room, "known_hosts");
    writeFileSync(known, `${alias} ${hostKey}\n`);
    options.push(
      "-o",
      `UserKnownHostsFile=${known}`,
      "-o",
      `HostKeyAlias=${alias}`,
      "-o",
      "StrictHostKeyChecking=yes",
    );
  }
  return [...options, "-p", String(port ?? 22)];
}

/** Who logs in where, as `ssh` takes it. */
export const addressOf = ({ user, host }: Connection): string => `${user ?? "root"}@${host}`;
