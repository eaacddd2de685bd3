import type { Route } from "../../core/route.ts";

/** The version which the lab stands for; clients choose their behaviour by it. */
export const VERSION = { version: "8.4.1", release: "8.4", repoid: "2a5fa54a8503f96d" };

const handler = (): unknown => ({ ...VERSION });

export const versionRoutes: Route[] = [
  { method: "GET", path: "/version", evidence: "observed", handler },
  { method: "GET", path: "/nodes/{node}/version", evidence: "documented", handler },
];
