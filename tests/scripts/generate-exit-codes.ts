// Writes bin/lib/exit_codes.sh from bin/lib/exit_codes.json: node tests/scripts/generate-exit-codes.ts
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { GENERATED, readExitCodes, renderExitCodes } from "./exit-codes.ts";

const root = join(import.meta.dirname, "../..");
writeFileSync(join(root, GENERATED), renderExitCodes(readExitCodes(root)));
