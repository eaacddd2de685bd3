export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** A table as zfs prints it: tab-separated without a head for scripts, else two blanks between aligned columns. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  script: boolean,
): string {
  if (script) return rows.map((row) => `${row.join("\t")}\n`).join("");
  const lines = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? "").length)));
  return lines
    .map((line) => {
      const cells = columns.map((column, index) => {
        const text = line[index] ?? "";
        const width = widths[index] ?? 0;
        if (column.right === true) return text.padStart(width);
        return index === columns.length - 1 ? text : text.padEnd(width);
      });
      return `${cells.join("  ")}\n`;
    })
    .join("");
}
