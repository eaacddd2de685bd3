import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { place, nodeName } from "../core/places.ts";
import { readBootstrap, setTokenSecret, sign, tokenSecret } from "../core/secrets.ts";
import { INITIAL_STORAGES, readStorages } from "../core/storage-config.ts";
import { changeUserConfig, emptyUser, readUserConfig } from "../core/user-config.ts";
import { readTextOr, writeFileAtomic } from "../core/files.ts";
import { closeUnfinishedTasks } from "../core/tasks.ts";
import { nodeAddress } from "./node-facts.ts";
import { activateFolder } from "./routes/storage-definitions.ts";

const USER = "phoenix@pve";
const ROLE = "Phoenix";

/** The least that the program needs of a node (provider-facts: from PVE's own permission declarations). */
const PRIVILEGES = [
  ...["Allocate", "Clone", "Audit", "PowerMgmt"].map((name) => `VM.${name}`),
  ...["CPU", "Memory", "Network", "Disk", "Options"].map((name) => `VM.Config.${name}`),
  ...["Allocate", "AllocateSpace", "AllocateTemplate", "Audit"].map((name) => `Datastore.${name}`),
  "SDN.Use",
  "Sys.Audit",
  "Sys.AccessNetwork",
];

function ensureToken(): void {
  const bootstrap = readBootstrap();
  if (!bootstrap || bootstrap.token.id === "") return;
  const [user = USER, name = "lab"] = bootstrap.token.id.split("!");
  if (!readUserConfig().users.get(user)?.tokens.has(name))
    changeUserConfig((config) => {
      const entry = config.users.get(user) ?? { ...emptyUser(), comment: "the lab's first user" };
      entry.tokens.set(name, { expire: 0, privsep: false, comment: "" });
      config.users.set(user, entry);
      if (!config.roles.has(ROLE)) config.roles.set(ROLE, new Set(PRIVILEGES));
      if (!config.acl.some(({ ugid }) => ugid === user))
        config.acl.push({ path: "/", kind: "user", ugid: user, role: ROLE, propagate: true });
    });
  if (tokenSecret(bootstrap.token.id) !== bootstrap.token.secret)
    setTokenSecret(bootstrap.token.id, bootstrap.token.secret);
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The node's self-signed certificate, made at the first start. */
export function ensureCertificate(): Certificate {
  const folder = place("/etc/pve/local");
  const [cert, key] = [`${folder}/pve-ssl.pem`, `${folder}/pve-ssl.key`];
  if (!existsSync(cert) || !existsSync(key)) {
    mkdirSync(folder, { recursive: true });
    const names = `subjectAltName=DNS:${nodeName()},DNS:localhost,IP:127.0.0.1,IP:${nodeAddress()}`;
    const subject = `/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN=${nodeName()}`;
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", "-days", "730"];
    execFileSync("openssl", [...request, "-keyout", key, "-out", cert, "-subj", subject, "-addext", names], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
  return { cert: readTextOr(cert, ""), key: readTextOr(key, "") };
}

/** What a fresh node has: folders, the storage `local`, root and the first token. Changes nothing that is there. */
export function bootstrapNode(): void {
  for (const folder of [
    "/etc/pve/lxc",
    "/etc/pve/priv",
    "/etc/pve/firewall",
    "/var/log/pve/tasks",
    "/var/log/pve-lab",
  ])
    mkdirSync(place(folder), { recursive: true });
  const storages = place("/etc/pve/storage.cfg");
  if (!existsSync(storages))
    writeFileAtomic(storages, INITIAL_STORAGES.replace("/var/lib/vz", place("/var/lib/vz")));
  if (!existsSync(place("/etc/pve/user.cfg"))) changeUserConfig(() => undefined);
  ensureToken();
  closeUnfinishedTasks();
  // The tickets' key is made now, so that a later login changes nothing under /etc/pve.
  sign("");
  const local = readStorages().find(({ id }) => id === "local");
  if (local?.enabled && local.type === "dir") activateFolder(local);
}
