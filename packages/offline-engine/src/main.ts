import { parseArgs } from "node:util";
import { discardWork } from "./build.ts";
import { examine } from "./doctor.ts";
import { Failure } from "./failure.ts";
import { install } from "./install.ts";
import { provide } from "./provide.ts";
import { say } from "./say.ts";
import { testGo } from "./test-go.ts";

const usage = `Provides the Pulumi engine and its plugins where only package registries can be reached.

  main.ts ensure [--json]               find, download or build them (cached); says where they are
  main.ts install --home DIR            the same, and link the plugins into a Pulumi home
  main.ts doctor [--json] [--home DIR]  which are in use: yours, official releases, or built here
  main.ts test [--json]                 run the Go tests (--json: the report of \`go test -json\`)`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean" }, home: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  const [verb, ...rest] = positionals;
  if (values.help || !verb) {
    console.log(usage);
    return 0;
  }
  if (rest.length > 0) throw new Failure(`one verb at a time, please:\n${usage}`);

  switch (verb) {
    case "ensure": {
      const engine = await provide("engine");
      const plugins = await provide("plugins");
      await discardWork();
      const found = {
        bin: engine.folder,
        plugins: plugins.folder,
        origin: engine.origin,
        pluginsOrigin: plugins.origin,
      };
      console.log(values.json ? JSON.stringify(found) : `export PATH=${engine.folder}:$PATH`);
      return 0;
    }
    case "install": {
      if (!values.home)
        throw new Failure("install needs --home DIR, the PULUMI_HOME to link the plugins into");
      const plugins = await provide("plugins");
      await discardWork();
      install(plugins.folder, values.home);
      return 0;
    }
    case "doctor": {
      const findings = await examine(values.home);
      if (values.json) console.log(JSON.stringify(findings, null, 2));
      else for (const f of findings) console.log(`${f.name} ${f.version}: ${words[f.state]}`);
      return findings.some((f) => f.state === "missing") ? 1 : 0;
    }
    case "test":
      return testGo(values.json ?? false).finally(discardWork);
    default:
      throw new Failure(`unknown verb ${verb}\n${usage}`);
  }
}

const words = {
  path: "your own",
  official: "official release",
  built: "rebuilt here, for machines without releases",
  missing: "missing; `ensure` brings it",
} as const;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // Wrong arguments and what a person can act on are one line; anything else is ours and keeps its stack.
  const known = error instanceof Failure || (error instanceof TypeError && "code" in error);
  say(known ? `✗ ${error.message}` : String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
