import { plan } from "./plan.ts";
import type { EdgeKind, PlanNode } from "./plan.ts";
import type { Model } from "./types.ts";

const arrows: Record<EdgeKind, { mermaid: string; dot: string }> = {
  rebuilds: { mermaid: "==>|rebuilds|", dot: 'style=bold label="rebuilds"' },
  clones: { mermaid: "-->|clones|", dot: 'label="clones"' },
  uses: { mermaid: "-->", dot: "" },
  depends: { mermaid: "-.->|needed by|", dot: 'style=dashed label="needed by"' },
  runs: { mermaid: "-->|runs in|", dot: 'style=dotted label="runs in"' },
};

/** The machine as a drawing: what lies on what, what is made from what. */
export function renderGraph(model: Model, format: "mermaid" | "dot"): string {
  // The drawing shows no digests, so any will do.
  const scripts = [...model.templates, ...model.containers].flatMap((c) => c.features.map((f) => f.script));
  const { nodes, edges } = plan(model, Object.fromEntries(scripts.map((script) => [script, ""])));
  const names = new Map(nodes.map((node, i) => [node.id, `n${i}`]));
  if (format === "dot") {
    return [
      "digraph phoenix {",
      "  rankdir=LR;",
      "  node [shape=box];",
      ...nodes.map((node) => `  ${names.get(node.id)} [label=${quote(label(node))}${dotShape(node)}];`),
      ...edges.map(({ from, to, kind }) => {
        const { dot } = arrows[kind];
        return `  ${names.get(from)} -> ${names.get(to)}${dot === "" ? "" : ` [${dot}]`};`;
      }),
      "}",
    ].join("\n");
  }
  return [
    "flowchart LR",
    ...nodes.map((node) => `  ${names.get(node.id)}${mermaidShape(node)}`),
    ...edges.map(({ from, to, kind }) => `  ${names.get(from)} ${arrows[kind].mermaid} ${names.get(to)}`),
  ].join("\n");
}

function label(node: PlanNode): string {
  return `${node.kind} ${node.label}`;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function mermaidShape(node: PlanNode): string {
  const text = `"${label(node).replaceAll('"', "#quot;")}"`;
  if (node.kind === "pool") return `[(${text})]`;
  if (node.kind === "template") return `[[${text}]]`;
  if (node.kind === "script") return `>${text}]`;
  return node.kind === "container" ? `(${text})` : `[${text}]`;
}

function dotShape(node: PlanNode): string {
  const shapes: Partial<Record<PlanNode["kind"], string>> = {
    pool: "cylinder",
    template: "box3d",
    container: "component",
    script: "note",
  };
  const shape = shapes[node.kind];
  return shape === undefined ? "" : ` shape=${shape}`;
}
