import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { Checkout } from "./checkout.ts";
import { stackFacts } from "./facts.ts";
import type { StackFacts } from "./facts.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder with the checkout on which `try` has run, and its home. */
    room: string;
  }
}

/** What `try` printed and how long it took, kept in the room for the tests. */
export interface TryRecord {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  readonly gitStatus: string;
  /** What an uninterrupted run makes. */
  readonly facts: StackFacts;
}

export const tryFile = (room: string): string => join(room, "try.json");

/**
 * One `try` serves all files. PHOENIX_E2E_ROOM names a folder that is kept, and used again as it was left:
 * for work on these tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env["PHOENIX_E2E_ROOM"];
  const room = kept ?? mkdtempSync("/var/tmp/phoenix-e2e-");
  project.provide("room", room);
  const down = async () => {
    if (kept !== undefined) return;
    await new Checkout(room).phoenix("lab", "down");
    rmSync(room, { recursive: true, force: true });
  };
  if (existsSync(tryFile(room))) return down;
  const checkout = Checkout.make(room);
  const since = Date.now();
  const result = await checkout.phoenix("try");
  const seconds = (Date.now() - since) / 1000;
  const gitStatus = await checkout.gitStatus();
  if (result.code !== 0) {
    await down();
    throw new Error(`bin/phoenix try failed after ${seconds} s:\n${result.stdout}\n${result.stderr}`);
  }
  const record: TryRecord = { ...result, seconds, gitStatus, facts: await stackFacts(checkout) };
  writeFileSync(tryFile(room), JSON.stringify(record));
  process.stdout.write(`${result.stdout}\nbin/phoenix try took ${seconds.toFixed(0)} s\n`);
  return down;
}

export const readTry = (room: string): TryRecord =>
  JSON.parse(readFileSync(tryFile(room), "utf8")) as TryRecord;
