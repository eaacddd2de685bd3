import { show } from "../schema-errors.ts";
import { isObject, textOf } from "../text.ts";
import type { Json, JsonObject, Path } from "../text.ts";
import type { Rewriter } from "./rewriter.ts";
import { textToNumber } from "./values.ts";

/** Flat keys → parameters of the engine. */
const parameters: Record<string, string> = {
  vllm_quantization: "quantization",
  vllm_dtype: "dtype",
  vllm_kv_cache_dtype: "kv_cache_dtype",
  vllm_max_model_len: "max_model_len",
  vllm_gpu_memory_utilization: "gpu_memory_utilization",
  vllm_tensor_parallel_size: "tensor_parallel_size",
  vllm_trust_remote_code: "trust_remote_code",
};

/** The grouped form of a later revision. */
const engineConfig: Record<string, Record<string, string>> = {
  ModelConfig: {
    model: "vllm_model",
    dtype: "vllm_parameters.dtype",
    max_model_len: "vllm_parameters.max_model_len",
    trust_remote_code: "vllm_parameters.trust_remote_code",
  },
  CacheConfig: {
    gpu_memory_utilization: "vllm_parameters.gpu_memory_utilization",
    quantization: "vllm_parameters.quantization",
  },
  ParallelConfig: { tensor_parallel_size: "vllm_parameters.tensor_parallel_size" },
  ServerConfig: { port: "vllm_port", served_model_name: "vllm_served_model_name" },
};

/** Arguments that say the same as a key. */
const argumentKeys: Record<string, string> = {
  "--quantization": "vllm_parameters.quantization",
  "--dtype": "vllm_parameters.dtype",
  "--kv-cache-dtype": "vllm_parameters.kv_cache_dtype",
  "--max-model-len": "vllm_parameters.max_model_len",
  "--gpu-memory-utilization": "vllm_parameters.gpu_memory_utilization",
  "--tensor-parallel-size": "vllm_parameters.tensor_parallel_size",
  "--max-num-batched-tokens": "vllm_parameters.max_num_batched_tokens",
  "--max-num-seqs": "vllm_parameters.max_num_seqs",
  "--trust-remote-code": "vllm_parameters.trust_remote_code",
  "--served-model-name": "vllm_served_model_name",
  "--model": "vllm_model",
  "--port": "vllm_port",
};

export function rewriteVllm(rewriter: Rewriter, path: Path): void {
  const config = rewriter.object(path) ?? {};
  const said = argumentsToKeys(rewriter, path);
  for (const [key, parameter] of Object.entries(parameters)) {
    if (!(key in config)) continue;
    textToNumber(rewriter, [...path, key]);
    move(rewriter, path, [...path, key], `vllm_parameters.${parameter}`, said);
  }
  if ("vllm_api_port" in config) move(rewriter, path, [...path, "vllm_api_port"], "vllm_port", said);
  const groups = rewriter.object([...path, "vllm_engine_config"]);
  for (const [group, keys] of Object.entries(groups === undefined ? {} : engineConfig)) {
    for (const [key, target] of Object.entries(keys)) {
      const from: Path = [...path, "vllm_engine_config", group, key];
      if (rewriter.get(from) !== undefined) move(rewriter, path, from, target, said);
    }
  }
  if (groups !== undefined) {
    const host: Path = [...path, "vllm_engine_config", "ServerConfig", "host"];
    if (rewriter.get(host) !== undefined)
      rewriter.drop(host, "`host` is not served: it listens on every address");
    const left = Object.entries(groups).filter(
      ([, group]) => isObject(group) && Object.keys(group).length === 0,
    );
    for (const [group] of left) rewriter.remove([...path, "vllm_engine_config", group]);
    if (Object.keys(groups).length === 0) rewriter.remove([...path, "vllm_engine_config"]);
  }
}

function move(rewriter: Rewriter, path: Path, from: Path, target: string, said: ReadonlySet<string>): void {
  const to: Path = [...path, ...target.split(".")];
  const value = rewriter.get(from);
  const today = rewriter.get(to);
  if (value === undefined) return;
  const name = String(from.at(-1));
  if (today === undefined) rewriter.rename(from, to, value, "parameters of the server stand together");
  else if (today === value) rewriter.drop(from, `\`${name}\` says the same as \`${target}\``, "left out");
  else if (said.has(target)) {
    const message = `\`${name}\` is ${show(value)}, but the argument says ${show(today)}`;
    rewriter.drop(from, message, argumentWins);
  } else {
    rewriter.error(
      from,
      `\`${name}\` is ${show(value)}, but \`${target}\` is ${show(today)}`,
      `keep \`${target}\``,
      "key",
    );
    rewriter.remove(from);
  }
}

const argumentWins = "the argument wins: only arguments ever reached the server";

/**
 * What the arguments repeat by hand goes to its key; what is left stays an argument.
 * @returns the keys that arguments name
 */
function argumentsToKeys(rewriter: Rewriter, path: Path): ReadonlySet<string> {
  const from: Path = [...path, "vllm_args"];
  const args = rewriter.array(from);
  const said = new Set<string>();
  if (!args.every((arg) => typeof arg === "string")) return said;
  const rest: Json[] = [];
  const moved: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const at = i;
    const [flag = "", inline] = String(args[i]).split(/=(.*)/s);
    const target = argumentKeys[flag];
    if (target === undefined) {
      rest.push(args[i] ?? "");
      continue;
    }
    const isSwitch = target.endsWith("trust_remote_code");
    const text = isSwitch ? "true" : (inline ?? textOf(args[++i]));
    const value: Json = isSwitch
      ? true
      : /^\d+(\.\d+)?$/.test(text) && target !== "vllm_served_model_name"
        ? Number(text)
        : text;
    const to: Path = [...path, ...target.split(".")];
    const today = rewriter.get(to);
    if (today !== undefined && today !== value) {
      const message = `\`${target}\` is ${show(today)}, but the argument \`${flag}\` says ${show(value)}`;
      rewriter.warn(to, message, argumentWins, "key");
    }
    if (today !== value) {
      rewriter.write(to, value);
      rewriter.locator.moved(to, [...from, at]);
    }
    said.add(target);
    moved.push(flag);
  }
  if (moved.length === 0) return said;
  const message = `the arguments ${moved.map((flag) => `\`${flag}\``).join(", ")} are keys of \`vllm_parameters\` and its like`;
  rewriter.warn(from, message, "only other arguments stand here", "key");
  const parent: JsonObject = rewriter.object(path) ?? {};
  if (rest.length === 0) delete parent["vllm_args"];
  else parent["vllm_args"] = rest;
  return said;
}
