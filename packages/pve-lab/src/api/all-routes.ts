import type { Route } from "../core/route.ts";
import { guestRoutes } from "../guests/routes.ts";
import { aclRoutes } from "./routes/acl.ts";
import { clusterRoutes } from "./routes/cluster.ts";
import { downloadRoutes } from "./routes/downloads.ts";
import { groupAndRoleRoutes } from "./routes/groups-and-roles.ts";
import { poolRoutes } from "./routes/pools.ts";
import { storageContentRoutes } from "./routes/storage-content.ts";
import { storageDefinitionRoutes } from "./routes/storage-definitions.ts";
import { storageStatusRoutes } from "./routes/storage-status.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { ticketRoutes } from "./routes/tickets.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { userRoutes } from "./routes/users.ts";
import { versionRoutes } from "./routes/version.ts";

/** Everything but the guests' own routes. */
export const nodeRoutes: readonly Route[] = [
  ...versionRoutes,
  ...ticketRoutes,
  ...userRoutes,
  ...tokenRoutes,
  ...groupAndRoleRoutes,
  ...aclRoutes,
  ...poolRoutes,
  ...taskRoutes,
  ...clusterRoutes,
  ...storageDefinitionRoutes,
  ...storageStatusRoutes,
  ...storageContentRoutes,
  ...downloadRoutes,
];

export const allRoutes: readonly Route[] = [...nodeRoutes, ...guestRoutes];
