import { writeFile } from "node:fs/promises";
import { nodeFacts } from "./node-facts.ts";

/** Writes a changed limit to the running guest's control group, where the node has the controller. */
export async function writeLimit(vmid: number, key: string, value: string | undefined): Promise<void> {
  const { controllers } = nodeFacts();
  const write = async (controller: string, file: string, text: string) => {
    if (controllers.has(controller)) await writeFile(`/sys/fs/cgroup/lxc/${vmid}/${file}`, text);
  };
  const mebibytes = (text: string | undefined, fallback: number) =>
    String(Number(text ?? fallback) * 1024 * 1024);
  if (key === "memory") await write("memory", "memory.max", mebibytes(value, 512));
  if (key === "swap") await write("memory", "memory.swap.max", mebibytes(value, 0));
  if (key === "cpuunits") await write("cpu", "cpu.weight", value ?? "100");
  if (key === "cpulimit") {
    const limit = Number(value ?? 0);
    await write("cpu", "cpu.max", limit > 0 ? `${Math.trunc(limit * 100000)} 100000` : "max 100000");
  }
}
