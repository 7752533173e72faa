/** @file The whole model with its updates in the weights, as a Hugging Face folder. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DType } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Value } from "../core/graph.ts";
import type { LinearSpec, Model, TensorSpec } from "../models/architecture.ts";
import { tiedHead, untiedName } from "../models/untie.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { kindOf } from "../programs/setup.ts";
import type { Backend } from "../runtime/backend.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeModelWeights } from "../weights/write-safetensors.ts";
import { copyFilesBeside, unquantized } from "./files-beside.ts";
import type { SiteOfBlock } from "./site-values.ts";
import { siteOutput } from "./site-values.ts";
import type { ValueSources } from "./tensor-values.ts";
import { ownValues, storedBytes, storedShape } from "./tensor-values.ts";

export interface MergedModelParts extends ValueSources {
  readonly backend: Backend;
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  /** Folder of the base: its config and tokenizer files are copied. */
  readonly baseFolder: string;
  /** The dtype that a tensor of the checkpoint is stored in; saved tensors keep it. */
  readonly storedType: (name: string) => DType | undefined;
  /** Names of a classifier's labels, where they are known. */
  readonly labels?: readonly string[] | undefined;
}

/** Bytes of a shard at most, as transformers cuts. */
const shardBytes = 5e9;

/**
 * Writes the model into `folder`, replacing one that is there, whole or not at all. Where the base is
 * held quantized, a merged weight is its dequantized value and the update. A tied head that a method
 * changed gets a matrix of its own.
 */
export async function writeMergedModel(parts: MergedModelParts, folder: string): Promise<void> {
  const { tensors, tied } = mergedTensors(parts);
  const config = await mergedConfig(parts, tied);
  await writeFolderAtomic(folder, async (temporary) => {
    await writeModelWeights(temporary, tensors, { format: "pt" }, shardBytes);
    await writeFile(join(temporary, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
    await copyFilesBeside(parts.baseFolder, temporary);
  });
}

/** The tensors to write; `tied` says whether the head goes without one of its own. */
function mergedTensors(parts: MergedModelParts): {
  readonly tensors: readonly TensorToWrite[];
  readonly tied: boolean;
} {
  const head = tiedHead(parts.model);
  const tensors = new Map<string, TensorToWrite>();
  for (const setup of parts.setups)
    for (const tensor of setup.spec.tensors) {
      const changed = siteOf(setup, tensor) !== undefined && tensor === head;
      const name = changed ? untiedName(parts.model, tensor) : tensor.source;
      if (!tensors.has(name)) tensors.set(name, savedTensor(parts, setup, tensor, name));
    }
  return {
    tensors: [...tensors.values()],
    tied: head !== undefined && !tensors.has(untiedName(parts.model, head)),
  };
}

function savedTensor(
  parts: MergedModelParts,
  setup: BlockSetup,
  tensor: TensorSpec,
  name: string,
): TensorToWrite {
  const dtype = parts.storedType(tensor.stored ?? tensor.source) ?? "float32";
  return {
    name,
    dtype,
    shape: storedShape(tensor),
    async *chunks() {
      yield* storedBytes(await mergedValues(parts, setup, tensor), tensor, dtype);
    },
  };
}

/** A tensor in float32 with everything that trained in it; the next call may overwrite it. */
async function mergedValues(
  parts: MergedModelParts,
  setup: BlockSetup,
  tensor: TensorSpec,
): Promise<Float32Array> {
  const own = await withRows(parts, setup, tensor);
  const at = siteOf(setup, tensor);
  if (at) return mergedWeight(parts, at, own, tensor);
  const beside = biasOf(setup, tensor);
  return beside ? mergedBias(parts, beside, own, tensor) : own;
}

/** A table of words, or a head that is tied to it, with the rows that a method trained. */
async function withRows(
  { backend, ...sources }: MergedModelParts,
  setup: BlockSetup,
  tensor: TensorSpec,
): Promise<Float32Array> {
  const own = ownValues(sources, tensor);
  const place = setup.places?.get("rows");
  const { role, rows = "ids", shape } = tensor;
  const isTable = role === "embedding" ? rows === "ids" : role === "linear";
  if (place?.method.kind !== "rows" || !isTable) return own;
  const { indices, change } = place.method;
  const width = shape[1] ?? 0;
  const at = { setup, name: "rows", site: place };
  const added = await siteOutput(backend, sources, at, new Map(), (g, params) =>
    change(g, params, { width }),
  );
  const changed = own.slice();
  indices.forEach((index, row) => {
    for (let column = 0; column < width; column++)
      changed[index * width + column] =
        (own[index * width + column] ?? 0) + (added[row * width + column] ?? 0);
  });
  return changed;
}

/** The method that changes a weight. */
function siteOf(setup: BlockSetup, tensor: TensorSpec): LinearSite | undefined {
  return siteWith(setup, (linear) => `${linear.name}.weight` === tensor.name);
}

/** The method that changes a bias. */
function biasOf(setup: BlockSetup, tensor: TensorSpec): LinearSite | undefined {
  const at = siteWith(setup, (linear) => linear.bias && `${linear.name}.bias` === tensor.name);
  return at?.site.method.bias && at;
}

interface LinearSite extends SiteOfBlock {
  readonly linear: LinearSpec;
}

function siteWith(setup: BlockSetup, is: (linear: LinearSpec) => boolean): LinearSite | undefined {
  const linear = setup.spec.linears.find(is);
  const site = linear && setup.sites.get(linear.name);
  return site && { setup, name: linear.name, site, linear };
}

/** W' of a site by the method's own definition. */
function mergedWeight(
  { backend, ...sources }: MergedModelParts,
  at: LinearSite,
  base: Float32Array,
  { shape }: TensorSpec,
): Promise<Float32Array> {
  const W = new Map([["W", { shape, data: base }]]);
  return siteOutput(backend, sources, at, W, (g, params, given) =>
    at.site.method.weight(g, only(given), params, kindOf(at.linear)),
  );
}

function mergedBias(
  { backend, ...sources }: MergedModelParts,
  at: LinearSite,
  base: Float32Array,
  { shape }: TensorSpec,
): Promise<Float32Array> {
  const b = new Map([["b", { shape, data: base }]]);
  return siteOutput(backend, sources, at, b, (g, params, given) => {
    const changed = at.site.method.bias?.(g, only(given), params, at.linear, kindOf(at.linear));
    return changed ?? only(given);
  });
}

function only(given: ReadonlyMap<string, Value>): Value {
  const [value] = given.values();
  invariant(value, "one tensor is given");
  return value;
}

/** The base's config.json, with what the merged model has changed. */
async function mergedConfig(
  { baseFolder, model, labels }: MergedModelParts,
  tied: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const json: unknown = JSON.parse(await readFile(join(baseFolder, "config.json"), "utf8"));
  invariant(isRecord(json), "config.json was read before");
  return {
    ...unquantized(json),
    architectures: [model.transformersClass],
    ...(model.task === "causal-lm" ? { tie_word_embeddings: tied } : {}),
    ...(model.labels === undefined ? {} : labelFields(json, model, labels)),
  };
}

/** What a classifier's config.json says of its labels; transformers counts them by `id2label`. */
function labelFields(
  json: Readonly<Record<string, unknown>>,
  { labels: count = 0, target }: Model,
  names: readonly string[] | undefined,
): Readonly<Record<string, unknown>> {
  const before = json["id2label"];
  const keeps = names === undefined && isRecord(before) && Object.keys(before).length === count;
  const used = names ?? Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  return {
    problem_type: target === "values" ? "regression" : "single_label_classification",
    ...(keeps
      ? {}
      : {
          id2label: Object.fromEntries(used.map((name, id) => [id, name])),
          label2id: Object.fromEntries(used.map((name, id) => [name, id])),
        }),
  };
}
