import type { Route } from "../core/route.ts";
import { guestRoutes } from "../guests/routes.ts";
import { aclRoutes } from "./routes/acl.ts";
import { applianceRoutes } from "./routes/appliances.ts";
import { clusterRoutes } from "./routes/cluster.ts";
import { diskRoutes } from "./routes/disks.ts";
import { downloadRoutes } from "./routes/downloads.ts";
import { firewallRoutes } from "./routes/firewall.ts";
import { firewallNameRoutes } from "./routes/firewall-names.ts";
import { groupAndRoleRoutes } from "./routes/groups-and-roles.ts";
import { indexRoutes } from "./routes/indexes.ts";
import { networkRoutes } from "./routes/network.ts";
import { nodeSettingsRoutes } from "./routes/node-settings.ts";
import { nodeRoutes as nodeStateRoutes } from "./routes/node.ts";
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
  ...indexRoutes,
  ...clusterRoutes,
  ...nodeStateRoutes,
  ...nodeSettingsRoutes,
  ...networkRoutes,
  ...diskRoutes,
  ...storageDefinitionRoutes,
  ...storageStatusRoutes,
  ...storageContentRoutes,
  ...downloadRoutes,
  ...applianceRoutes,
  ...firewallRoutes,
  ...firewallNameRoutes,
];

export const allRoutes: readonly Route[] = [...nodeRoutes, ...guestRoutes];
