import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { morePrivileges, privileges, role, sometimes, tokenName, user } from "../access/privileges.ts";
import { sshProblem } from "../doctor/reach.ts";
import { root } from "../lib/checkout.ts";
import { chosenOutcome } from "../lib/configuration.ts";
import { pulumiEnvironment, selectedStack } from "../lib/environment.ts";
import { Failure } from "../lib/failure.ts";
import { nodeSettings } from "../lib/node-settings.ts";
import type { NodeSettings } from "../lib/node-settings.ts";
import { capture } from "../lib/process.ts";
import { addressOf, sshOptions } from "../lib/ssh.ts";

interface Options {
  readonly stack?: string;
  readonly print?: boolean;
  readonly renew?: boolean;
}

/** What grant.pl answers. */
interface Granted {
  readonly done: readonly string[];
  readonly token: string;
  readonly secret?: string;
}

export const verb = () =>
  new Command("access")
    .description(
      "makes a role with the least rights, a user and a token for a stack on its node, over SSH as root; the token goes to the stack's configuration, encrypted",
    )
    .option("--stack <name>", "a stack other than the selected one")
    .option("--print", "only print the commands, for the node's own shell")
    .option("--renew", "take the stack's token away and make a new one")
    .action(async (options: Options) => {
      const named = options.stack === undefined ? [] : ["--stack", options.stack];
      if (options.print) {
        const stack = options.stack ?? (await selectedStack(await pulumiEnvironment(), named));
        process.stdout.write(`${commands(stack).join("\n")}\n`);
        return;
      }
      const { variables, stack } = await stackOf(named);
      const { done, token, secret } = await grant(
        nodeSettings(stack),
        stack,
        options.renew ?? false,
        variables,
      );
      const say = (line: string) => process.stdout.write(`${line}\n`);
      for (const line of done) say(`✓ ${line}`);
      if (secret === undefined) {
        say(
          `${token} was there already and is as it was. A new one: bin/phoenix access --stack ${stack} --renew`,
        );
        return;
      }
      await keep(stack, `${token}=${secret}`, variables);
      say(`✓ phoenix:apiToken of stack ${stack} set, encrypted`);
    });

async function stackOf(named: readonly string[]): Promise<{ variables: NodeJS.ProcessEnv; stack: string }> {
  const environment = await pulumiEnvironment();
  return { variables: environment.variables, stack: await selectedStack(environment, named) };
}

/** Those of every stack, and what the configuration needs beyond them; one that is not valid yet needs nothing. */
function wantedPrivileges(stack: string): string[] {
  const common = Object.keys(privileges);
  if (!existsSync(join(root, `Pulumi.${stack}.yaml`))) return common;
  const outcome = chosenOutcome({ stack });
  return outcome.ok ? [...common, ...morePrivileges(outcome.model)] : common;
}

/** What `access` does, in words for a shell on the node and then for one here. */
function commands(stack: string): string[] {
  const list = wantedPrivileges(stack).join(" ");
  return [
    "# on the node, as root:",
    `pveum role add ${role} --privs '${list}'`,
    `pveum user add ${user}`,
    `pveum acl modify / --users ${user} --roles ${role}`,
    `pveum user token add ${user} ${tokenName(stack)} --privsep 0`,
    "# here; it asks for the value, which the last command showed: paste it behind the = in",
    `# ${user}!${tokenName(stack)}=VALUE`,
    `pulumi config set --secret phoenix:apiToken --stack ${stack}`,
  ];
}

async function grant(
  { ssh }: NodeSettings,
  stack: string,
  renew: boolean,
  variables: NodeJS.ProcessEnv,
): Promise<Granted> {
  const room = mkdtempSync(join(tmpdir(), "phoenix-ssh-"));
  try {
    const program = readFileSync(join(import.meta.dirname, "../access/grant.pl"), "utf8");
    const job = {
      role,
      user,
      token: tokenName(stack),
      privileges: wantedPrivileges(stack),
      sometimes: Object.keys(sometimes),
      renew,
    };
    const { code, stdout, stderr } = await capture(
      "ssh",
      [...sshOptions(ssh, room), addressOf(ssh), "perl", "-"],
      {
        env: variables,
        input: `${program}\n__END__\n${JSON.stringify(job)}\n`,
      },
    );
    if (code === 0) return JSON.parse(stdout) as Granted;
    const noConnection = 255;
    if (code === noConnection) {
      const { what, remedy } = sshProblem(stderr, { host: ssh.host, port: ssh.port, user: ssh.user, stack });
      throw new Failure(what, { next: remedy });
    }
    throw new Failure(`the node refused: ${stderr.trim().split("\n").slice(-3).join("; ")}`, {
      next: `bin/phoenix access --stack ${stack} --print   (the same by hand)`,
    });
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}

/** On standard input, so that no process list and no history ever shows it. */
async function keep(stack: string, token: string, variables: NodeJS.ProcessEnv): Promise<void> {
  const args = ["config", "set", "--secret", "phoenix:apiToken", "--stack", stack, "--non-interactive"];
  const { code, stderr } = await capture("pulumi", args, { cwd: root, env: variables, input: token });
  if (code === 0) return;
  throw new Failure(`the token was made on the node and could not be stored: ${stderr.trim()}`, {
    next: `bin/phoenix access --stack ${stack} --renew`,
  });
}
