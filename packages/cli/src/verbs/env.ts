import { Command } from "commander";
import { hasOwnPulumi, root } from "../lib/checkout.ts";
import { ownVariables } from "../lib/environment.ts";

/** A word that every POSIX shell reads back as it is. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const verb = () =>
  new Command("env")
    .description('prints what makes plain `pulumi` work here: eval "$(bin/phoenix env)"')
    .action(async () => {
      const own = hasOwnPulumi();
      const variables = own ? await ownVariables() : withoutOwn(await ownVariables());
      const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
      if (!own) {
        lines.unshift(
          `# ${root} has no Pulumi home of its own (bin/phoenix try makes one): your own login and ssh-agent apply,`,
          "# and PROXMOX_VE_API_TOKEN is yours to set. See docs/guides/your-own-host.md",
        );
      }
      process.stdout.write(`${lines.join("\n")}\n`);
    });

const belongsToTry = [
  "PULUMI_HOME",
  "PULUMI_BACKEND_URL",
  "PULUMI_CONFIG_PASSPHRASE",
  "PROXMOX_VE_API_TOKEN",
  "SSH_AUTH_SOCK",
];

const withoutOwn = (variables: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !belongsToTry.includes(name)));
