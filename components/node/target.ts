import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";
import type * as command from "@pulumi/command";
import type { Settings } from "../../settings.ts";
import { NodeClaims, type Claims } from "./claims.ts";
import { PveApi } from "./pve-api.ts";

/** The node that a stack works on: how its resources reach it. */
export interface Target {
  readonly stack: string;
  /** The node's name in Proxmox VE. */
  readonly node: string;
  readonly provider: proxmoxve.Provider;
  /** For every remote command; byte-stable and without a key, since any change of it re-runs all of them. */
  readonly connection: command.types.input.remote.ConnectionArgs;
  readonly api: PveApi;
  /** Whose storages and images are. */
  readonly claims: Claims;
  /** A secret of the stack. */
  readonly secret: Settings["secret"];
}

/** sshd drops dials beyond its MaxStartups (10:30:100), so a dial may have to be tried again. */
const DIAL = { dialErrorLimit: 20, perDialTimeout: 30 };

/** Connects a stack's settings with the provider and with SSH. */
export function createTarget(settings: Settings): Target {
  const { stack, connection, apiToken } = settings;
  const { host, port, user, hostKey } = connection.ssh;
  return {
    stack,
    node: connection.name,
    provider: new proxmoxve.Provider("node", {
      endpoint: connection.endpoint,
      insecure: connection.insecure,
      ...(apiToken ? { apiToken } : {}),
    }),
    connection: { host, port, user, hostKey, ...DIAL },
    api: new PveApi(connection, apiToken),
    claims: new NodeClaims(connection.ssh),
    secret: settings.secret,
  };
}
