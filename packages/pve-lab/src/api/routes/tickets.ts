import { authIdOf, login } from "../../core/authenticate.ts";
import {
  isAllowed,
  interestingPaths,
  normalizePath,
  permissionError,
  privilegesOn,
  userOf,
} from "../../core/permissions.ts";
import { isPrivilege } from "../../core/privileges.ts";
import { ApiError, type Context, type Route } from "../../core/route.ts";
import { setPassword } from "../../core/secrets.ts";
import { makeCsrfToken, makeTicket } from "../../core/tickets.ts";
import { readUserConfig } from "../../core/user-config.ts";
import { asText } from "../../core/text.ts";

type Grants = Record<string, Record<string, 1>>;

/** What the web interface shows or hides: privileges anywhere under each area. */
function capabilities(user: string): Grants {
  const areas: Readonly<Record<string, RegExp>> = {
    access: /^\/access/,
    dc: /^\/$/,
    mapping: /^\/mapping/,
    nodes: /^\/nodes/,
    sdn: /^\/sdn/,
    storage: /^\/storage/,
    vms: /^\/(?:vms|pool)/,
  };
  const result: Grants = Object.fromEntries(Object.keys(areas).map((area) => [area, {}]));
  for (const path of [...interestingPaths(), "/mapping"])
    for (const [area, pattern] of Object.entries(areas))
      if (pattern.test(path))
        for (const privilege of privilegesOn(user, path).keys()) (result[area] ??= {})[privilege] = 1;
  return result;
}

function fullUserName({ parameters }: Context): string {
  const name = asText(parameters["username"]);
  const realm = parameters["realm"];
  const user = realm === undefined || name.includes("@") ? name : `${name}@${asText(realm)}`;
  if (!user.includes("@"))
    throw new ApiError(400, "Parameter verification failed.", {
      username: `value '${user}' does not look like a valid user name`,
    });
  return user;
}

function createTicket(context: Context): unknown {
  const { parameters } = context;
  const user = fullUserName(context);
  login(user, asText(parameters["password"]));
  const path = parameters["path"];
  if (path !== undefined) {
    const privileges = asText(parameters["privs"] ?? "").split(/[,;\s]+/);
    if (!isAllowed(user, asText(path), privileges, true)) throw new ApiError(401, "authentication failure");
    return { username: user, cap: capabilities(user) };
  }
  return {
    username: user,
    ticket: makeTicket(user),
    CSRFPreventionToken: makeCsrfToken(user),
    cap: capabilities(user),
  };
}

function changePassword({ parameters, identity }: Context): null {
  const user = asText(parameters["userid"]);
  if (!readUserConfig().users.has(user)) throw new ApiError(500, `no such user ('${user}')`);
  const confirmation = parameters["confirmation-password"];
  if (identity.user !== "root@pam" || (typeof confirmation === "string" && confirmation !== ""))
    login(identity.user, asText(confirmation ?? ""));
  if (user.endsWith("@pam") && user !== "root@pam")
    throw new ApiError(500, "the lab has no other user of the realm pam");
  setPassword(user, asText(parameters["password"]));
  return null;
}

function permissions({ parameters, identity }: Context): unknown {
  const self = authIdOf(identity);
  const subject = asText(parameters["userid"] ?? self);
  if (subject !== self && userOf(subject) !== self && !isAllowed(self, "/access", ["Sys.Audit"]))
    throw permissionError("/access, Sys.Audit");
  const asked = parameters["path"];
  const paths = asked === undefined ? interestingPaths() : [normalizePath(asText(asked)) ?? asText(asked)];
  const listed = paths.map((path) => {
    const privileges = [...privilegesOn(subject, path)].filter(([name]) => isPrivilege(name)).sort();
    return [
      path,
      Object.fromEntries(privileges.map(([name, propagate]) => [name, propagate ? 1 : 0])),
    ] as const;
  });
  return Object.fromEntries(
    listed.filter(([, privileges]) => asked !== undefined || Object.keys(privileges).length > 0),
  );
}

export const ticketRoutes: Route[] = [
  // The login form of the web interface; PVE answers with nothing.
  { method: "GET", path: "/access/ticket", evidence: "documented", handler: () => null },
  { method: "POST", path: "/access/ticket", evidence: "observed", handler: createTicket },
  { method: "PUT", path: "/access/password", evidence: "observed", handler: changePassword },
  { method: "GET", path: "/access/permissions", evidence: "documented", handler: permissions },
  {
    method: "GET",
    path: "/access/domains",
    evidence: "documented",
    handler: () => [
      { realm: "pam", type: "pam", comment: "Linux PAM standard authentication" },
      { realm: "pve", type: "pve", comment: "Proxmox VE authentication server" },
    ],
  },
];
