/** @file The whole model with its updates in the weights, as a Hugging Face folder. */
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DType } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import { newGraph } from "../core/graph.ts";
import type { TensorSpec } from "../models/architecture.ts";
import type { BaseWeights } from "../network/base-weights.ts";
import type { Parameters } from "../network/parameters.ts";
import type { BlockSetup, SiteMethod } from "../programs/setup.ts";
import { paramName, parameterName } from "../programs/setup.ts";
import type { Backend } from "../runtime/backend.ts";
import { float32ToHalf } from "../weights/dtype-conversion.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeModelWeights } from "../weights/write-safetensors.ts";

export interface MergedModelParts {
  readonly backend: Backend;
  readonly setups: readonly BlockSetup[];
  readonly base: BaseWeights;
  readonly parameters: Parameters;
  /** Folder of the base: its config and tokenizer files are copied. */
  readonly baseFolder: string;
  /** The dtype that a tensor of the base is stored in; saved tensors keep it. */
  readonly storedType: (source: string) => DType | undefined;
}

/** Bytes of a shard at most, as transformers cuts. */
const shardBytes = 5e9;

/** Writes the model into `folder`, which must not hold one. Returns the names of the files. */
export async function writeMergedModel(
  parts: MergedModelParts,
  folder: string,
): Promise<readonly string[]> {
  const tensors = new Map<string, TensorToWrite>();
  for (const setup of parts.setups)
    for (const tensor of setup.spec.tensors)
      if (!tensors.has(tensor.source))
        tensors.set(tensor.source, savedTensor(parts, setup, tensor));
  const files = await writeModelWeights(
    folder,
    [...tensors.values()],
    { format: "pt" },
    shardBytes,
  );
  const beside = (await readdir(parts.baseFolder)).filter(
    (name) => /\.(json|jinja|txt|model)$/.test(name) && !/safetensors|adapter/.test(name),
  );
  for (const name of beside) await copyFile(join(parts.baseFolder, name), join(folder, name));
  return [...files, ...beside];
}

function savedTensor(
  parts: MergedModelParts,
  setup: BlockSetup,
  tensor: TensorSpec,
): TensorToWrite {
  const dtype = parts.storedType(tensor.source) ?? "float32";
  const shape = tensor.transposed ? tensor.shape.toReversed() : tensor.shape;
  return {
    name: tensor.source,
    dtype,
    shape,
    async *chunks() {
      const values = await mergedValues(parts, setup, tensor);
      yield encoded(tensor.transposed ? transposed(values, tensor) : values, dtype);
    },
  };
}

/** A tensor in float32 with everything that trained in it. */
async function mergedValues(
  parts: MergedModelParts,
  setup: BlockSetup,
  tensor: TensorSpec,
): Promise<Float32Array> {
  if (setup.trained.has(tensor.name)) return parts.parameters.get(tensor.source).weight;
  const base = parts.base.decode(tensor.source);
  const linear = setup.spec.linears.find(({ name }) => `${name}.weight` === tensor.name);
  const site = linear && setup.sites.get(linear.name);
  // What is decoded lies in memory that the next tensor overwrites.
  return site ? mergedWeight(parts, setup, linear.name, site, base, tensor) : base.slice();
}

/** W' of a site by the method's own definition. */
async function mergedWeight(
  { backend, parameters }: MergedModelParts,
  setup: BlockSetup,
  name: string,
  site: SiteMethod,
  base: Float32Array,
  tensor: TensorSpec,
): Promise<Float32Array> {
  const g = newGraph();
  const W = g.input("W", "float32", tensor.shape);
  const values = new Map(
    [...site.params].map(([param, { shape }]) => [param, g.input(param, "float32", shape)]),
  );
  g.output("merged", site.method.weight(g, W, values));
  const program = await backend.compile(g);
  const feeds = new Map([["W", backend.upload("float32", tensor.shape, base)]]);
  for (const [param, { shape }] of site.params) {
    const { weight } = parameters.get(parameterName(setup.spec, paramName(name, param)));
    feeds.set(param, backend.upload("float32", shape, weight));
  }
  const merged = (await program.run(feeds)).get("merged");
  invariant(merged, "merging made nothing");
  const data = await backend.download(merged);
  await program.dispose();
  invariant(data instanceof Float32Array, "a merged weight is float32");
  return data.slice();
}

function encoded(values: Float32Array, dtype: DType): Uint8Array {
  if (dtype === "float16" || dtype === "bfloat16") {
    const half = new Uint16Array(values.length);
    float32ToHalf(dtype, values, half);
    return new Uint8Array(half.buffer);
  }
  invariant(dtype === "float32", `weights are not saved as ${dtype}`);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** [out, in] to the [in, out] in which it is stored. */
function transposed(values: Float32Array, { shape }: TensorSpec): Float32Array {
  const [rows = 1, columns = 1] = shape;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] ?? 0;
  return result;
}
