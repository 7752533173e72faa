/** @file What stands before the words as an adapter folder that peft loads: PROMPT_TUNING and PREFIX_TUNING. */
import { invariant } from "../../shared/errors.ts";
import type { Value } from "../core/graph.ts";
import { concat } from "../core/ops.ts";
import type { Model } from "../models/architecture.ts";
import type { BlockSetup, PlaceMethod } from "../programs/setup.ts";
import type { Backend } from "../runtime/backend.ts";
import type { ResolvedModel } from "../weights/hub-cache.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { peftVersion } from "./lora-config.ts";
import { writeAdapterFolder } from "./peft-adapter.ts";
import { siteOutput } from "./site-values.ts";
import type { ValueSources } from "./tensor-values.ts";
import { floatTensor, ownValues, storedBytes, storedShape } from "./tensor-values.ts";

export interface PromptAdapterParts extends ValueSources {
  readonly backend: Backend;
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  readonly reference: ResolvedModel;
}

/** The one name under which peft keeps a prompt. */
export const promptTensor = "prompt_embeddings";

/** How peft calls the model that a prompt stands before. */
export const promptPrefix = "base_model.";

/** Writes the adapter into `folder`, replacing one that is there. */
export async function writePromptAdapter(parts: PromptAdapterParts, folder: string): Promise<void> {
  const places = placesOf(parts.setups);
  const made = await Promise.all(places.map((at) => valuesOf(parts, at)));
  const [first] = places;
  invariant(first, "no place of the model has a prompt");
  const { method } = first.placed;
  invariant(method.kind === "tokens" || method.kind === "prefix", "no prompt is trained");
  invariant(method.peft, `peft has no form of ${method.name}`);
  const { count } = method;
  const width = made.reduce((sum, { length }) => sum + length / count, 0);
  const values = interleaved(made, count);
  const prompt = floatTensor(promptTensor, [count, width], () => values);
  const heads = savedTensors(parts);
  await writeAdapterFolder(folder, { config: config(parts, method), tensors: [prompt, ...heads] });
}

interface PlaceOfBlock {
  readonly setup: BlockSetup;
  readonly name: string;
  readonly placed: PlaceMethod;
}

function placesOf(setups: readonly BlockSetup[]): readonly PlaceOfBlock[] {
  return setups.flatMap((setup) =>
    [...(setup.places ?? [])].map(([name, placed]) => ({ setup, name, placed })),
  );
}

/** A place's rows [count, width]; of a layer its keys and then its values. */
function valuesOf(parts: PromptAdapterParts, at: PlaceOfBlock): Promise<Float32Array> {
  const { hidden, keyValueHeads, headDim } = parts.model.sizes;
  const { setup, name, placed } = at;
  return siteOutput(
    parts.backend,
    parts,
    { setup, name, site: placed },
    new Map(),
    (g, params): Value => {
      const { method } = placed;
      if (method.kind === "tokens") return method.rows(g, params, { width: hidden });
      invariant(method.kind === "prefix", `${method.name} puts nothing before the words`);
      const made = method.keysValues(g, params, { width: keyValueHeads * headDim });
      return concat(g, [made.keys, made.values], 1);
    },
  );
}

/** Rows of all parts side by side. */
function interleaved(parts: readonly Float32Array[], count: number): Float32Array {
  const width = parts.reduce((sum, { length }) => sum + length / count, 0);
  const all = new Float32Array(count * width);
  let column = 0;
  for (const part of parts) {
    const own = part.length / count;
    for (let row = 0; row < count; row++)
      all.set(part.subarray(row * own, (row + 1) * own), row * width + column);
    column += own;
  }
  return all;
}

/** Tensors of the model itself that train, such as a head. */
function savedTensors(parts: PromptAdapterParts): readonly TensorToWrite[] {
  return parts.setups.flatMap(({ spec, trained }) =>
    spec.tensors
      .filter(({ name }) => trained.has(name))
      .map((tensor) => ({
        name: `${promptPrefix}${tensor.source}`,
        dtype: "float32" as const,
        shape: storedShape(tensor),
        chunks: () => storedBytes(ownValues(parts, tensor), tensor),
      })),
  );
}

/** adapter_config.json: peft sees the key-value heads where it keeps keys and values. */
function config(
  { model, reference }: PromptAdapterParts,
  { kind, peft }: PlaceMethod["method"],
): Readonly<Record<string, unknown>> {
  const { hidden, heads, keyValueHeads, headDim, layers } = model.sizes;
  const { hubId, folder, snapshot, revision } = reference;
  const ofKeys = kind === "prefix";
  return {
    auto_mapping: null,
    base_model_name_or_path: hubId ?? folder,
    inference_mode: true,
    modules_to_save: model.headModule === undefined ? null : [model.headModule],
    num_attention_heads: ofKeys ? keyValueHeads : heads,
    num_layers: layers,
    num_transformer_submodules: 1,
    peft_type: peft?.type,
    peft_version: peftVersion,
    revision: hubId === undefined ? null : (snapshot ?? revision ?? null),
    task_type: model.task === "causal-lm" ? "CAUSAL_LM" : "SEQ_CLS",
    token_dim: ofKeys ? keyValueHeads * headDim : hidden,
    ...(ofKeys ? { encoder_hidden_size: keyValueHeads * headDim } : {}),
    ...peft?.fields,
  };
}
