/** The node's API daemon: HTTPS on :8006 for clients, a local socket for the node's command line. */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { place } from "../core/places.ts";
import { waitForAllTasks } from "../core/tasks.ts";
import { allRoutes } from "./all-routes.ts";
import { bootstrapNode, ensureCertificate } from "./bootstrap.ts";
import { makeDispatcher } from "./dispatch.ts";
import { buildServer } from "./server.ts";

const PORT = Number(process.env["PVE_LAB_PORT"] ?? 8006);
const SOCKET = "/run/pve-lab.sock";

async function main(): Promise<void> {
  bootstrapNode();
  const dispatch = makeDispatcher(allRoutes);
  const https = await buildServer({ dispatch, tls: ensureCertificate() });
  const local = await buildServer({ dispatch, identity: { user: "root@pam" }, unauthorizedDelayMs: 0 });
  const socket = place(SOCKET);
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  await local.listen({ path: socket });
  chmodSync(socket, 0o600);
  await https.listen({ port: PORT, host: "::", ipv6Only: false });
  process.stdout.write(`pve-lab: API on port ${PORT} and ${socket}\n`);
  // Nobody is let in any more, and answers that are owed get a moment; workers go on to their end, for which systemd
  // gives them its time.
  const stop = async (): Promise<void> => {
    await Promise.race([Promise.all([https.close(), local.close()]), sleep(5000)]);
    await waitForAllTasks();
    process.exit(0);
  };
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
}

await main();
