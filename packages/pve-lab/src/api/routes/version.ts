import type { Route } from "../../core/route.ts";
import type { PveVersion } from "../../hardware/description.ts";
import { readHardware } from "../../hardware/state.ts";

interface Version {
  readonly version: string;
  readonly release: string;
  readonly repoid: string;
}

const VERSIONS: Readonly<Record<PveVersion, Version>> = {
  8: { version: "8.4.1", release: "8.4", repoid: "2a5fa54a8503f96d" },
  9: { version: "9.1.1", release: "9.1", repoid: "42db4a6cf33dac83" },
};

/** The version which the lab stands for, as `lab up --pve` told; clients choose their behaviour by it. */
export function version(): Version {
  return VERSIONS[readHardware().pve ?? 8];
}

const handler = (): unknown => ({ ...version() });

export const versionRoutes: Route[] = [
  { method: "GET", path: "/version", evidence: "observed", handler },
  { method: "GET", path: "/nodes/{node}/version", evidence: "documented", handler },
];
