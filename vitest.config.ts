import { defineConfig } from "vitest/config";
import { terraformProgram } from "./tests/terraform-program.ts";

// A client that no package registry has: where the machine lacks it, its test is no part of the suite (docs/lab.md).
const terraform = terraformProgram();
const terraformTest = "packages/pve-lab/tests/terraform.lab.test.ts";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts", "packages/*/tests/**/*.test.ts"],
    exclude: ["**/node_modules/**", ".phoenix/**", ...(terraform === undefined ? [terraformTest] : [])],
    ...(terraform === undefined ? {} : { env: { PHOENIX_TERRAFORM: terraform } }),
    // For a test that hangs; a crowded machine takes its time.
    testTimeout: 120_000,
  },
});
