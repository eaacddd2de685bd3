import type { Checkout } from "../end-to-end/checkout.ts";
import { compare, differences, table, type Effective, type Row } from "./compare.ts";
import { readFacts } from "./facts.ts";

/** Reads containers and templates of the checkout's stack, prints the table, and returns what differs. */
export async function readStack(checkout: Checkout, ctids: readonly number[], stack = "dev"): Promise<Row[]> {
  const wrong: Row[] = [];
  for (const ctid of ctids) {
    const { code, stdout, stderr } = await checkout.phoenix("show", String(ctid), "--json", "--stack", stack);
    if (code !== 0) throw new Error(`show ${ctid}: ${stderr}`);
    const rows = compare(JSON.parse(stdout) as Effective[], await readFacts(checkout, ctid));
    process.stdout.write(`${table(ctid, rows)}\n`);
    wrong.push(...differences(rows));
  }
  return wrong;
}
