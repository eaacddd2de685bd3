import { root } from "./checkout.ts";
import { capture } from "./process.ts";

/** The API token of a stack, as the program finds it: its configuration first, then the environment. */
export async function apiToken(stack: string, variables: NodeJS.ProcessEnv): Promise<string | undefined> {
  const args = ["config", "get", "phoenix:apiToken", "--stack", stack, "--non-interactive"];
  const { code, stdout } = await capture("pulumi", args, { cwd: root, env: variables });
  const own = code === 0 ? stdout.trim() : "";
  return own || variables["PROXMOX_VE_API_TOKEN"] || undefined;
}
