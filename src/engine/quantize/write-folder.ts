/** @file A quantized model as a folder: packed matrices in a layout that others read where there is one, the rest as it was. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Shape } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import { copyFilesBeside } from "../exports/files-beside.ts";
import { storedBytes as bytesOfFloats } from "../exports/tensor-values.ts";
import type { Model, TensorSpec } from "../models/architecture.ts";
import type { PackedMatrix } from "../quantizers/packed.ts";
import type { Layout } from "../quantizers/layouts/layout.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import { storedName } from "../models/stored-tensor.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeModelWeights } from "../weights/write-safetensors.ts";
import type { LayoutParts } from "./choose-layout.ts";
import { chooseLayout } from "./choose-layout.ts";
import type { Parts } from "./parts.ts";
import type { ReadTensor } from "./rotate-model.ts";

export interface FolderParts extends LayoutParts {
  readonly model: Model;
  readonly source: WeightSource;
  /** config.json of the original. */
  readonly config: unknown;
  readonly originalFolder: string;
  /** Everything that making it again needs. */
  readonly record: Readonly<Record<string, unknown>>;
  /** Values of all that is not packed, where the whole model was changed. */
  readonly rotated: ReadTensor | undefined;
}

export interface WrittenFolder {
  readonly layout: Layout["name"];
  /** Of all files of weights. */
  readonly packedBytes: number;
  readonly weights: number;
}

/** Bytes of a shard at most, as transformers cuts. */
const shardBytes = 5e9;

/** The file with everything that making the folder again needs. */
export const recordFile = "spectune_quantization.json";

export async function writeQuantizedFolder(
  folder: string,
  parts: FolderParts,
): Promise<WrittenFolder> {
  const chosen = await chooseLayout(parts);
  const { tensors, written } = await tensorsOf(parts, chosen.layout);
  const { config, record, originalFolder } = parts;
  invariant(isRecord(config), "config.json was read before");
  const quantization = { ...chosen.config, ...provenance(parts) };
  await writeFolderAtomic(folder, async (temporary) => {
    await writeModelWeights(temporary, tensors, { format: "pt" }, shardBytes);
    const json = {
      ...config,
      ...(parts.rotated && { tie_word_embeddings: false }),
      quantization_config: quantization,
    };
    await writeFile(join(temporary, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
    await writeFile(join(temporary, recordFile), `${JSON.stringify(record, null, 2)}\n`);
    await copyFilesBeside(originalFolder, temporary);
  });
  return { layout: chosen.layout.name, ...written };
}

/** The checkpoint's tensors in its order, packed ones in place of the weights that they were. */
async function tensorsOf(
  { model, source, parts, layers, rotated }: FolderParts,
  layout: Layout,
): Promise<{
  readonly tensors: readonly TensorToWrite[];
  readonly written: { readonly packedBytes: number; readonly weights: number };
}> {
  const specs = new Map<string, { readonly tensor: TensorSpec; readonly layer: number }>();
  const blocks = model.blocks.filter(({ kind }) => kind === "layer");
  for (const [layer, { tensors }] of blocks.entries())
    for (const tensor of tensors) {
      const name = storedName(model, source.tensors, tensor);
      if (name !== undefined) specs.set(name, { tensor, layer });
    }
  const ends = blocksBesideLayers(model);
  const untied = ends.filter(({ stored }) => stored !== undefined);
  const endOf = (name: string): TensorSpec | undefined =>
    ends.find(
      (tensor) => tensor.stored === undefined && storedName(model, source.tensors, tensor) === name,
    );
  let loaded: { readonly layer: number; readonly result: ReturnType<Parts["load"]> } | undefined;
  // Tensors come in the checkpoint's order: one layer's are asked for together.
  const layerResult = (layer: number): ReturnType<Parts["load"]> => {
    if (loaded?.layer !== layer) loaded = { layer, result: parts.load(layer) };
    return loaded.result;
  };
  // A matrix's arrays follow each other too, and are made all at once.
  let made: { readonly prefix: string; readonly arrays: ReturnType<Layout["write"]> } | undefined;
  const arraysOf = (prefix: string, packed: PackedMatrix): ReturnType<Layout["write"]> => {
    if (made?.prefix !== prefix) made = { prefix, arrays: layout.write(prefix, packed) };
    return made.arrays;
  };
  const tensors: TensorToWrite[] = [];
  let [packedBytes, weights] = [0, 0];
  for (const [name, info] of source.tensors) {
    if (rotated && untied.some(({ source: own }) => own === name)) continue;
    const spec = specs.get(name);
    const result = spec && spec.layer < layers ? await layerResult(spec.layer) : undefined;
    const module = spec?.tensor.source.replace(/\.weight$/u, "") ?? "";
    const packed = result?.matrices.get(module);
    const changed = spec && result?.changed.get(spec.tensor.source);
    const turned = rotated && (spec?.tensor ?? endOf(name));
    const { dtype } = info;
    if (packed && spec) {
      weights += packed.rows * packed.columns;
      const prefix = name.replace(/\.weight$/u, "");
      for (const [array, { dtype: type, shape, data }] of arraysOf(prefix, packed)) {
        packedBytes += data.byteLength;
        tensors.push({
          name: array,
          dtype: type,
          shape,
          async *chunks() {
            const again = (await layerResult(spec.layer)).matrices.get(module);
            invariant(again, `${module} was there before`);
            const written = arraysOf(prefix, again).get(array)?.data;
            invariant(written, `${array} was there before`);
            yield new Uint8Array(written.buffer, written.byteOffset, written.byteLength);
          },
        });
      }
    } else if (changed)
      tensors.push({
        name,
        dtype: "float32",
        shape: info.shape,
        chunks: () => bytesOfFloats(changed, spec.tensor),
      });
    else if (rotated && turned) tensors.push(readAs(name, turned, info.shape, rotated));
    else if (dtype !== undefined)
      tensors.push({
        name,
        dtype,
        shape: info.shape,
        async *chunks() {
          yield await source.read(name);
        },
      });
  }
  if (rotated)
    for (const tensor of untied) tensors.push(readAs(tensor.source, tensor, tensor.shape, rotated));
  return { tensors, written: { packedBytes, weights } };
}

/** A tensor in float32, read as it is written. */
function readAs(name: string, tensor: TensorSpec, shape: Shape, read: ReadTensor): TensorToWrite {
  return {
    name,
    dtype: "float32",
    shape,
    async *chunks() {
      yield* bytesOfFloats(await read(tensor), tensor);
    },
  };
}

function blocksBesideLayers({ blocks }: Model): readonly TensorSpec[] {
  return blocks.flatMap(({ kind, tensors }) => (kind === "layer" ? [] : tensors));
}

function provenance({ quantizer }: FolderParts): Readonly<Record<string, unknown>> {
  return { spectune: { type: quantizer.type, ...quantizer.config } };
}
