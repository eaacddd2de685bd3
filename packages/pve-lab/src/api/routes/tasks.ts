import { authIdOf } from "../../core/authenticate.ts";
import { isAllowed, permissionError, userOf } from "../../core/permissions.ts";
import { splitList } from "../../core/lists.ts";
import { nodeName } from "../../core/places.ts";
import { Answer, ApiError, type Context, type Route } from "../../core/route.ts";
import {
  finishedTasks,
  isTaskRunning,
  readTaskLog,
  runningTasks,
  stopTask,
  taskExitStatus,
} from "../../core/tasks.ts";
import { parseUpid, type Upid } from "../../core/upid.ts";
import { asText } from "../../core/text.ts";

interface Listed extends Upid {
  readonly endtime?: number;
  readonly status?: string;
}

function isOwn(context: Context, task: Upid): boolean {
  const me = authIdOf(context.identity);
  // A user sees the tasks of its tokens; a token sees its own only.
  return task.user === me || userOf(task.user) === me;
}

function view(task: Listed): Record<string, unknown> {
  return {
    upid: task.upid,
    node: task.node,
    pid: task.pid,
    pstart: task.pstart,
    starttime: task.starttime,
    type: task.type,
    id: task.id,
    user: userOf(task.user),
    ...(task.user.includes("!") ? { tokenid: task.user.slice(task.user.indexOf("!") + 1) } : {}),
    ...(task.endtime === undefined ? {} : { endtime: task.endtime }),
    ...(task.status === undefined ? {} : { status: task.status }),
  };
}

function statusClass(status: string | undefined): string {
  if (status === undefined || status === "unexpected status") return "unknown";
  if (status === "OK") return "ok";
  return status.startsWith("WARNINGS") ? "warning" : "error";
}

function list(context: Context): Answer {
  const { parameters: p } = context;
  const mayAll = isAllowed(authIdOf(context.identity), `/nodes/${nodeName()}`, ["Sys.Audit"]);
  const source = p["source"] ?? "archive";
  const active: Listed[] = source === "archive" ? [] : runningTasks();
  const archive: Listed[] = source === "active" ? [] : finishedTasks();
  const wanted = splitList(p["statusfilter"]);
  const matches = (task: Listed): boolean => {
    if (!mayAll && !isOwn(context, task)) return false;
    if (p["vmid"] !== undefined && task.id !== asText(p["vmid"])) return false;
    if (p["typefilter"] !== undefined && task.type !== p["typefilter"]) return false;
    if (p["userfilter"] !== undefined && !task.user.includes(asText(p["userfilter"]))) return false;
    if (p["since"] !== undefined && task.starttime < Number(p["since"])) return false;
    if (p["until"] !== undefined && task.starttime > Number(p["until"])) return false;
    if (p["errors"] === true && (task.status === undefined || task.status === "OK")) return false;
    return wanted.length === 0 || wanted.includes(statusClass(task.status));
  };
  const all = [...active, ...archive].filter(matches);
  const start = Number(p["start"] ?? 0);
  return new Answer(all.slice(start, start + Number(p["limit"] ?? 50)).map(view), { total: all.length });
}

/** The task of a request, if the caller may see it. */
function requireTask(context: Context, privilege: string): { task: Upid; lines: string[] } {
  const upid = asText(context.parameters["upid"]);
  const task = parseUpid(upid);
  if (!task)
    throw new ApiError(400, "Parameter verification failed.", { upid: "unable to parse worker upid" });
  if (task.node !== nodeName())
    throw new ApiError(400, "Parameter verification failed.", { upid: "no such task" });
  if (!isOwn(context, task) && !context.allowed(`/nodes/${task.node}`, [privilege]))
    throw permissionError(`/nodes/${task.node}, ${privilege}`);
  const lines = readTaskLog(task);
  if (!lines) throw new ApiError(400, "Parameter verification failed.", { upid: "no such task" });
  return { task, lines };
}

function status(context: Context): unknown {
  const { task, lines } = requireTask(context, "Sys.Audit");
  const base = view(task);
  return isTaskRunning(task.upid)
    ? { ...base, status: "running" }
    : { ...base, status: "stopped", exitstatus: taskExitStatus(lines) };
}

function log(context: Context): unknown {
  const { lines } = requireTask(context, "Sys.Audit");
  const { parameters: p } = context;
  const known = lines.length === 1 && lines[0] === "" ? [] : lines;
  if (p["download"] === true) throw new ApiError(501, "the lab does not hand out a task's log as a file");
  const start = Number(p["start"] ?? 0);
  const limit = Number(p["limit"] ?? 50);
  const end = limit === 0 ? known.length : start + limit;
  const shown = known.slice(start, end).map((t, index) => ({ n: start + index + 1, t }));
  return new Answer(shown.length > 0 || start > 0 ? shown : [{ n: 1, t: "no content" }], {
    total: Math.max(known.length, 1),
  });
}

async function stop(context: Context): Promise<null> {
  const { task } = requireTask(context, "Sys.Modify");
  await stopTask(task.upid, 5);
  return null;
}

const path = "/nodes/{node}/tasks";
export const taskRoutes: Route[] = [
  { method: "GET", path, evidence: "documented", handler: list },
  {
    method: "GET",
    path: `${path}/{upid}`,
    evidence: "documented",
    handler: () => [{ name: "log" }, { name: "status" }],
  },
  { method: "DELETE", path: `${path}/{upid}`, evidence: "observed", handler: stop },
  { method: "GET", path: `${path}/{upid}/status`, evidence: "observed", handler: status },
  { method: "GET", path: `${path}/{upid}/log`, evidence: "observed", handler: log },
  {
    method: "GET",
    path: "/cluster/tasks",
    evidence: "documented",
    handler: (context) => {
      const mayAll = context.allowed("/", ["Sys.Audit"]);
      const all: Listed[] = [...runningTasks(), ...finishedTasks()];
      return all
        .filter((task) => mayAll || isOwn(context, task))
        .slice(0, 25)
        .map(view);
    },
  },
];
