import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts", "packages/*/tests/**/*.test.ts"],
    exclude: ["**/node_modules/**", ".phoenix/**"],
    // For a test that hangs; a crowded machine takes its time.
    testTimeout: 120_000,
  },
});
