import { spawn } from "node:child_process";
import { loadavg, type as systemName, machine } from "node:os";
import { shownKernel } from "../../hardware/state.ts";
import { nodeName } from "../../core/places.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import {
  certificateFingerprint,
  memoryFacts,
  nodeSummary,
  processorFacts,
  processorShare,
  rootDisk,
  uptimeSeconds,
} from "../node-facts.ts";
import { version } from "./version.ts";

function list(context: Context): unknown {
  const { node, status, ...numbers } = nodeSummary();
  const shown = context.allowed(`/nodes/${nodeName()}`, ["Sys.Audit"]) ? numbers : {};
  const ssl_fingerprint = certificateFingerprint();
  return [{ id: `node/${nodeName()}`, type: "node", node, status, level: "", ssl_fingerprint, ...shown }];
}

function status(): unknown {
  const { model, mhz, flags, cpus } = processorFacts();
  const { total, used, free, available, swapTotal, swapFree } = memoryFacts();
  const kernel = { sysname: systemName(), ...shownKernel(), machine: machine() };
  return {
    pveversion: `pve-manager/${version().version}/${version().repoid}`,
    kversion: `${kernel.sysname} ${kernel.release} ${kernel.version}`,
    "current-kernel": kernel,
    "boot-info": { mode: "legacy-bios" },
    cpu: processorShare(),
    wait: 0,
    idle: 0,
    cpuinfo: { model, mhz, flags, cpus, cores: cpus, sockets: 1, hvm: "0", user_hz: 100 },
    loadavg: loadavg().map((load) => load.toFixed(2)),
    memory: { total, used, free, available },
    swap: { total: swapTotal, used: swapTotal - swapFree, free: swapFree },
    ksm: { shared: 0 },
    rootfs: rootDisk(),
    uptime: uptimeSeconds(),
  };
}

/** Restarts or stops the node through its own systemd, shortly after the answer is out. */
function power({ parameters }: Context): null {
  const verb = parameters["command"] === "reboot" ? "reboot" : "poweroff";
  if (process.env["PVE_LAB_ROOT"] !== undefined) throw new ApiError(500, `this is no whole node: no ${verb}`);
  spawn("sh", ["-c", `sleep 1; exec systemctl ${verb}`], { detached: true, stdio: "ignore" }).unref();
  return null;
}

export const nodeRoutes: Route[] = [
  { method: "GET", path: "/nodes", evidence: "observed", handler: list },
  { method: "GET", path: "/nodes/{node}/status", evidence: "documented", handler: status },
  { method: "POST", path: "/nodes/{node}/status", evidence: "documented", handler: power },
  // No virtual machines: the lab has no KVM.
  { method: "GET", path: "/nodes/{node}/qemu", evidence: "documented", handler: () => [] },
  {
    method: "GET",
    path: "/nodes/{node}/subscription",
    evidence: "documented",
    handler: () => ({ status: "notfound", message: "There is no subscription key" }),
  },
];
