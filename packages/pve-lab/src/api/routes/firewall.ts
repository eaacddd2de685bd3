import { splitList } from "../../core/lists.ts";
import { ApiError, type Context, type Parameters, type Route } from "../../core/route.ts";
import { RULE_OPTIONS, type FirewallFile, type Rule } from "../firewall-file.ts";
import { changeFirewall, invalid, readFirewall } from "../firewall-store.ts";
import { asText } from "../../core/text.ts";

/*
 * Kept and answered, not enforced: as on a node whose datacenter firewall is off, which is PVE's default, and
 * which the lab has no route to switch on.
 */

const FLAGS = ["dhcp", "enable", "ipfilter", "macfilter", "ndp", "radv"];
const TEXTS = ["log_level_in", "log_level_out", "policy_in", "policy_out"];

function viewRule(
  { type, action, enable, macro, comment, options }: Rule,
  pos: number | string,
  digest: string,
): unknown {
  return {
    pos,
    type,
    action,
    enable: enable ? 1 : 0,
    ...(macro === undefined ? {} : { macro }),
    ...(comment === undefined ? {} : { comment }),
    ...options,
    digest,
  };
}

function listRules({ parameters }: Context): unknown {
  const { file, digest } = readFirewall(parameters);
  return file.rules.map((rule, pos) => viewRule(rule, pos, digest));
}

function requireRule(file: FirewallFile, parameters: Parameters): { rule: Rule; pos: number } {
  const pos = Number(parameters["pos"]);
  const rule = file.rules[pos];
  if (!rule) throw new ApiError(500, `no rule at position ${pos}`);
  return { rule, pos };
}

/** An empty text or a dash takes the option away (PVE::Firewall::copy_rule_data); the bridged provider sends those. */
function setOption(rule: Rule, key: string, text: string): void {
  const holder: Record<string, unknown> =
    key === "macro" || key === "comment" ? (rule as unknown as Record<string, unknown>) : rule.options;
  if (text === "" || text === "-") Reflect.deleteProperty(holder, key);
  else holder[key] = text;
}

function apply(rule: Rule, parameters: Parameters): Rule {
  const next: Rule = { ...rule, options: { ...rule.options } };
  if (parameters["type"] !== undefined) next.type = asText(parameters["type"]);
  if (parameters["action"] !== undefined) next.action = asText(parameters["action"]);
  if (parameters["enable"] !== undefined) next.enable = Number(parameters["enable"]) !== 0;
  for (const key of ["macro", "comment", ...RULE_OPTIONS])
    if (parameters[key] !== undefined) setOption(next, key, asText(parameters[key]));
  for (const key of splitList(parameters["delete"])) setOption(next, key, "");
  checkRule(next);
  return next;
}

function checkRule({ type, action, macro, options }: Rule): void {
  const ports = ["dport", "sport"].filter((key) => options[key] !== undefined);
  const { proto } = options;
  if (type !== "group" && !/^(?:ACCEPT|DROP|REJECT)$/.test(action))
    throw invalid({ action: `unknown action '${action}'` });
  if (macro === undefined && ports.length > 0 && proto === undefined)
    throw invalid({ proto: `missing property - '${ports[0] ?? ""}' requires this property` });
  if (options["icmp-type"] !== undefined && proto !== "icmp" && proto !== "ipv6-icmp" && proto !== "icmpv6")
    throw invalid({ proto: "missing property - 'icmp-type' requires this property" });
}

function createRule(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    const empty: Rule = { type: "in", action: "DROP", enable: false, options: {} };
    // A new rule is always the first, whatever `pos` says: clients move it afterwards, or send the last one first.
    file.rules.unshift(apply(empty, parameters));
  });
}

function updateRule(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    const { rule, pos } = requireRule(file, parameters);
    const target = parameters["moveto"];
    if (target === undefined) {
      file.rules[pos] = apply(rule, parameters);
      return;
    }
    // The new place counts as before the rule is taken out.
    const to = Math.min(Number(target), file.rules.length);
    file.rules.splice(to, 0, rule);
    file.rules.splice(to <= pos ? pos + 1 : pos, 1);
  });
}

function readOptions({ parameters }: Context): unknown {
  const { file, digest } = readFirewall(parameters);
  const typed = Object.entries(file.options).map(([key, value]) => [
    key,
    FLAGS.includes(key) ? Number(value) : value,
  ]);
  return { ...Object.fromEntries(typed), digest };
}

function writeOptions(context: Context): Promise<null> {
  const { parameters } = context;
  return changeFirewall(context, (file) => {
    for (const key of splitList(parameters["delete"])) {
      if (![...FLAGS, ...TEXTS].includes(key)) throw invalid({ delete: `no such option '${key}'` });
      Reflect.deleteProperty(file.options, key);
    }
    for (const key of FLAGS)
      if (parameters[key] !== undefined) file.options[key] = parameters[key] === true ? "1" : "0";
    for (const key of TEXTS) if (parameters[key] !== undefined) file.options[key] = asText(parameters[key]);
  });
}

const path = "/nodes/{node}/lxc/{vmid}/firewall";
export const firewallRoutes: Route[] = [
  {
    method: "GET",
    path,
    evidence: "documented",
    handler: () => ["rules", "aliases", "ipset", "refs", "options", "log"].map((name) => ({ name })),
  },
  { method: "GET", path: `${path}/rules`, evidence: "observed", handler: listRules },
  { method: "POST", path: `${path}/rules`, evidence: "observed", handler: createRule },
  {
    method: "GET",
    path: `${path}/rules/{pos}`,
    evidence: "observed",
    handler: ({ parameters }) => {
      const { file, digest } = readFirewall(parameters);
      const { rule, pos } = requireRule(file, parameters);
      return viewRule(rule, asText(pos), digest);
    },
  },
  { method: "PUT", path: `${path}/rules/{pos}`, evidence: "observed", handler: updateRule },
  {
    method: "DELETE",
    path: `${path}/rules/{pos}`,
    evidence: "observed",
    handler: (context) =>
      changeFirewall(context, (file) => {
        file.rules.splice(requireRule(file, context.parameters).pos, 1);
      }),
  },
  { method: "GET", path: `${path}/options`, evidence: "observed", handler: readOptions },
  { method: "PUT", path: `${path}/options`, evidence: "observed", handler: writeOptions },
];
