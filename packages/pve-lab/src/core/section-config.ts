/** PVE's section configuration format: `type: id`, then indented `key value` lines, sections parted by blank lines. */
export interface Section {
  type: string;
  id: string;
  options: Record<string, string>;
}

export function parseSections(text: string): Section[] {
  const sections: Section[] = [];
  let current: Section | undefined;
  for (const line of text.split("\n")) {
    if (/^\s*#/.test(line) || line.trim() === "") continue;
    const head = /^(\S+):\s*(\S+)\s*$/.exec(line);
    if (head?.[1] !== undefined && head[2] !== undefined) {
      current = { type: head[1], id: head[2], options: {} };
      sections.push(current);
      continue;
    }
    const option = /^\s+(\S+)(?:\s+(.*?))?\s*$/.exec(line);
    // A flag without a value means 1.
    if (option?.[1] !== undefined && current) current.options[option[1]] = option[2] ?? "1";
  }
  return sections;
}

export function writeSections(sections: readonly Section[]): string {
  return sections
    .map(({ type, id, options }) => {
      const lines = Object.entries(options).map(([key, value]) => `\t${key} ${value}\n`);
      return `${type}: ${id}\n${lines.join("")}\n`;
    })
    .join("");
}
