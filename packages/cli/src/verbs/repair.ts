import { Command } from "commander";
import { inspect, openStack } from "../drift/inspect.ts";
import type { Finding } from "../drift/inspect.ts";
import { repair } from "../drift/repair.ts";
import { driftTable, exitCode } from "../drift/table.ts";
import { Failure } from "../lib/failure.ts";

// A container that was stopped can only be looked into once it runs again: then there may be more to mend.
const rounds = 3;

export const verb = () =>
  new Command("repair")
    .description("applies again exactly what `drift` finds; nothing else runs, and the state does not change")
    .argument("[ctids...]", "only these containers; without any also the host")
    .option("--stack <name>", "a stack other than the selected one")
    .action(async (ctids: string[], options: { stack?: string }) => {
      const stack = await openStack(options.stack === undefined ? [] : ["--stack", options.stack]);
      let findings = await inspect(stack, ctids);
      if (exitCode(findings) === 0) {
        process.stdout.write("Nothing has drifted.\n");
        return;
      }
      for (let round = 0; round < rounds && mendable(findings); round += 1) {
        process.stdout.write(`${driftTable(findings).join("\n")}\n`);
        for (const { run, code, said } of await repair(stack, findings)) {
          const name = `${run.ctid === "" ? "host" : run.ctid} ${run.feature}`;
          process.stdout.write(
            code === 0 ? `✓ ${name} applied\n` : `✗ ${name} failed (exit code ${code})\n${said}\n`,
          );
        }
        findings = await inspect(stack, ctids);
      }
      if (exitCode(findings) === 0) return;
      throw new Failure(`not everything could be mended:\n${driftTable(findings).join("\n")}`, {
        next: "bin/phoenix refresh, then bin/phoenix up",
        code: exitCode(findings),
      });
    });

const mendable = (findings: readonly Finding[]): boolean =>
  findings.some(({ verdict, run }) => verdict === "drift" && run !== undefined);
