/** @file Which matrices a model stores as [in, out], and where a fused one is cut into its parts. */
import { at } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import type { TensorInfo } from "../weights/safetensors.ts";
import { plainName } from "./names.ts";
import type { Part } from "./stored-matrix.ts";

/** What config.json says, as far as it is needed; every field may be absent. */
export interface ModelFacts {
  readonly modelType: string | undefined;
  readonly heads: number | undefined;
  readonly keyValueHeads: number | undefined;
  readonly headDim: number | undefined;
}

export const noFacts: ModelFacts = {
  modelType: undefined,
  heads: undefined,
  keyValueHeads: undefined,
  headDim: undefined,
};

export function modelFacts(config: unknown): ModelFacts {
  if (!isRecord(config)) return noFacts;
  const number = (...names: readonly string[]): number | undefined =>
    names.map((name) => config[name]).find((value) => typeof value === "number");
  const type = config["model_type"];
  return {
    modelType: typeof type === "string" ? type : undefined,
    heads: number("num_attention_heads", "n_head"),
    keyValueHeads: number("num_key_value_heads"),
    headDim: number("head_dim"),
  };
}

/** Model types of transformers whose linear layers are `Conv1D`. */
const conv1dTypes: ReadonlySet<string> = new Set([
  "gpt2",
  "openai-gpt",
  "imagegpt",
  "decision_transformer",
]);

/** Whether `Conv1D` layers are in the model: by its type, else by the shape of a fused projection [d, 3d]. */
export function storesConv1d(
  { modelType }: ModelFacts,
  tensors: ReadonlyMap<string, TensorInfo>,
): boolean {
  if (modelType !== undefined) return conv1dTypes.has(modelType);
  const fused = [...tensors.values()].find(({ name }) => name.endsWith("attn.c_attn.weight"));
  return fused?.shape.length === 2 && at(fused.shape, 1) === 3 * at(fused.shape, 0);
}

/** Whether a tensor of such a model is the weight of a `Conv1D`. */
export function isConv1d(name: string): boolean {
  return /(^|\.)(attn|crossattention|mlp)\.(c_attn|q_attn|c_proj|c_fc)\.weight$/.test(
    plainName(name),
  );
}

/** The parts of a fused projection of queries, keys and values [out, in]; undefined where it is none, or its cut is not known. */
export function fusedParts(
  name: string,
  out: number,
  width: number,
  { heads, keyValueHeads, headDim }: ModelFacts,
): readonly Part[] | undefined {
  const module = name.replace(/\.weight$/, "");
  if (module.endsWith(".query_key_value")) {
    // GPT-NeoX and BLOOM: for each head its query, key and value.
    if (heads === undefined || out % (3 * heads) !== 0) return undefined;
    const dim = out / (3 * heads);
    return ["q", "k", "v"].map((label, place) => ({
      label,
      rows: range(heads).flatMap((head) => range(dim).map((i) => (head * 3 + place) * dim + i)),
    }));
  }
  if (!/\.(c_attn|qkv_proj|Wqkv|W_pack|qkv|in_proj)$/.test(module)) return undefined;
  const dim = headDim ?? (heads === undefined ? undefined : width / heads);
  const [q, kv] =
    heads !== undefined && keyValueHeads !== undefined && dim !== undefined
      ? [heads * dim, keyValueHeads * dim]
      : [out / 3, out / 3];
  if (!Number.isInteger(q) || !Number.isInteger(kv) || q + 2 * kv !== out) return undefined;
  return [
    { label: "q", rows: range(q) },
    { label: "k", rows: range(kv).map((i) => q + i) },
    { label: "v", rows: range(kv).map((i) => q + kv + i) },
  ];
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
