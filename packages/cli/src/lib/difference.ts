import { formatOverlayChanges, overlayChanges } from "../../../../model/index.ts";
import { chosenSources } from "./configuration.ts";
import { stackConfig } from "./environment.ts";

/** What a stack's overlays make of its first files, where the stack asks for it; empty otherwise. */
export function difference(stack: string): string {
  if (stackConfig(stack)["phoenix:showDifference"] !== true) return "";
  const { hypervisor, lxc } = chosenSources({ stack });
  const texts = [hypervisor, lxc].map((files) => {
    const lines = formatOverlayChanges(overlayChanges(files));
    const [first] = files;
    return lines === "" || !first ? "" : `${first.path}\n${lines.replace(/^/gm, "  ")}`;
  });
  const all = texts.filter((text) => text !== "").join("\n");
  return all === "" ? "" : `What this stack leaves out of the files, and swaps in them:\n${all}`;
}
