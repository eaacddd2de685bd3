import { spawnSync } from "node:child_process";

/** Oldest Go that the provider's sources compile with. */
const GO = [1, 26] as const;

function said(program: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

/**
 * Whether this machine has a Terraform or OpenTofu and the Go that builds the provider: neither can be installed from
 * a package registry. Without them the test of this client is not part of the suite; docs/lab.md says so.
 */
export function terraformProgram(): string | undefined {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(said("go", "env", "GOVERSION") ?? "") ?? [];
  if (major === undefined || Number(major) < GO[0] || (Number(major) === GO[0] && Number(minor) < GO[1]))
    return undefined;
  return ["terraform", "tofu"].find((program) => said(program, "version") !== undefined);
}
