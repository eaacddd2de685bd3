import type { HealthCheck } from "./generated/lxc-configs.ts";
import type { Effective } from "./inherit.ts";
import { pathOf } from "./inherit.ts";
import type { Findings } from "./findings.ts";
import type { Locator } from "./locate.ts";
import type { ContainerSpec, HealthSpec, ReadySpec } from "./types.ts";

/** How long a start waits for this container. */
export function readyOf(values: Effective): ReadySpec {
  const seconds = (name: keyof ReadySpec): number => values.get(`ready_timeouts.${name}`)?.value as number;
  return { init: seconds("init"), network: seconds("network"), dns: seconds("dns") };
}

/** Its health check with the defaults of the schema; undefined where nobody says one. */
export function healthOf(
  ctid: number,
  values: Effective,
  { locator, findings }: { locator: Locator; findings: Findings },
): HealthSpec | undefined {
  const check = values.get("health_check")?.value as HealthCheck | undefined;
  if (check === undefined) return undefined;
  const { command, http, tcp, retries = 3, interval = 5, timeout = 30 } = check;
  if (command === undefined && http === undefined && tcp === undefined) {
    const message = "`health_check` names nothing to check";
    findings.add(locator, pathOf(values, ctid, "health_check"), message, {
      remedy: '`"command"`, `"http": {"port": 80}` or `"tcp": {"port": 22}`',
      what: "key",
    });
  }
  return {
    ...(command === undefined ? {} : { command }),
    ...(http === undefined ? {} : { http: { ...http, path: http.path ?? "/" } }),
    ...(tcp === undefined ? {} : { tcp }),
    retries,
    interval,
    timeout,
  };
}

/** Making a container anew is dangerous, so the container itself must say that it may be done. */
export function checkRoll(
  spec: ContainerSpec,
  values: Effective,
  { locator, findings }: { locator: Locator; findings: Findings },
): void {
  if (!spec.roll || spec.allow.includes("replace")) return;
  const message = `\`roll\` makes ${spec.vmid} anew, which it does not allow`;
  findings.add(locator, pathOf(values, spec.vmid, "roll"), message, {
    remedy: `\`"allow": ["replace"]\` in ${spec.vmid}, or \`"roll": false\` there`,
    what: "key",
    ctid: spec.vmid,
  });
}
