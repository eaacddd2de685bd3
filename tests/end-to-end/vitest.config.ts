import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** By name: the files tell one story on one lab, from the first `try` to the last `lab down`. */
class InOrder extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId)));
  }
}

export default defineConfig({
  root: join(import.meta.dirname, "../.."),
  test: {
    include: ["tests/end-to-end/*.lab.test.ts"],
    exclude: ["**/node_modules/**", ".phoenix/**"],
    globalSetup: [join(import.meta.dirname, "setup.ts")],
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    testTimeout: 10 * 60_000,
    hookTimeout: 10 * 60_000,
  },
});
