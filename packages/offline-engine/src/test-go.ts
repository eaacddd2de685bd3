import { spawn } from "node:child_process";
import { join } from "node:path";
import { goEnvironment, working } from "./build.ts";
import { goSources } from "./pins.ts";
import { toolchain } from "./toolchain.ts";

/** Runs the Go tests with the flags of the build, so that they find its compiled packages; the report goes to standard output. */
export async function testGo(json: boolean): Promise<number> {
  const go = await toolchain();
  const args = ["test", ...(json ? ["-json"] : []), "./..."];
  return working(go, () => {
    const child = spawn(go.program, args, {
      cwd: join(goSources, "plugins"),
      env: goEnvironment(go),
      stdio: ["ignore", "inherit", "inherit"],
    });
    return new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 1));
    });
  });
}
