/** @file A quantized model as a folder: packed matrices in a layout that others read where there is one, the rest as it was. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { invariant, UserError } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import { copyFilesBeside } from "../exports/files-beside.ts";
import { storedBytes as bytesOfFloats } from "../exports/tensor-values.ts";
import type { Model, TensorSpec } from "../models/architecture.ts";
import { bitsandbytesLayout } from "../quantizers/layouts/bitsandbytes.ts";
import { gptqWith, zerosAboveNought } from "../quantizers/layouts/gptq.ts";
import type { Layout } from "../quantizers/layouts/layout.ts";
import { own } from "../quantizers/layouts/own.ts";
import type { PackedMatrix } from "../quantizers/packed.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import { storedName } from "../session/stored-tensor.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeModelWeights } from "../weights/write-safetensors.ts";
import type { Parts } from "./parts.ts";

/** How matrices lie in the folder: `auto` as GPTQ's or bitsandbytes' folders where all of them can. */
export type LayoutChoice = "auto" | "gptq" | "spectune";

export interface FolderParts {
  readonly model: Model;
  readonly source: WeightSource;
  /** config.json of the original. */
  readonly config: unknown;
  readonly originalFolder: string;
  readonly parts: Parts;
  readonly layers: number;
  readonly layout: LayoutChoice;
  readonly quantizer: { readonly type: string; readonly config: Readonly<Record<string, unknown>> };
  /** Everything that making it again needs. */
  readonly record: Readonly<Record<string, unknown>>;
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
    const json = { ...config, quantization_config: quantization };
    await writeFile(join(temporary, "config.json"), `${JSON.stringify(json, null, 2)}\n`);
    await writeFile(join(temporary, recordFile), `${JSON.stringify(record, null, 2)}\n`);
    await copyFilesBeside(originalFolder, temporary);
  });
  return { layout: chosen.layout.name, ...written };
}

interface ChosenLayout {
  readonly layout: Layout;
  readonly config: Readonly<Record<string, unknown>>;
}

async function chooseLayout({
  parts,
  layers,
  layout,
  quantizer,
}: FolderParts): Promise<ChosenLayout> {
  const { config } = quantizer;
  const plain: ChosenLayout = { layout: own, config: { quant_method: "spectune" } };
  if (layout === "spectune") return plain;
  let refused: string | undefined;
  let aboveNought = true;
  let first: PackedMatrix | undefined;
  for (let layer = 0; layer < layers; layer++)
    for (const [module, packed] of (await parts.load(layer)).matrices) {
      first ??= packed;
      const why = packed.format === "bnb" ? undefined : gptqWith(0).refuses(packed);
      if (why !== undefined) refused ??= `${module}: ${why}`;
      if (why === undefined && packed.format === "grid") aboveNought &&= zerosAboveNought(packed);
    }
  if (first?.format === "bnb" && layout === "auto") {
    const type = first.settings["type"] === "fp4" ? "fp4" : "nf4";
    return { layout: bitsandbytesLayout(type), config: bitsandbytesConfig(type, first) };
  }
  if (refused !== undefined || first?.format !== "grid") {
    if (layout === "auto") return plain;
    throw new UserError({
      code: "layout-does-not-fit",
      message: `GPTQ's layout cannot hold this model: ${refused ?? `it holds uniform grids, not ${first?.format ?? "nothing"}`}.`,
      remedy: "Choose groups and bits that it holds, or leave --layout out.",
    });
  }
  const { bits, group } = first.settings;
  return {
    layout: gptqWith(aboveNought ? 1 : 0),
    config: {
      quant_method: "gptq",
      bits,
      group_size: group,
      desc_act: config["act_order"] === true,
      static_groups: config["static_groups"] === true,
      sym: config["symmetric"] === true,
      damp_percent: typeof config["damping"] === "number" ? config["damping"] : 0.01,
      true_sequential: false,
      lm_head: false,
      pack_dtype: "int32",
      checkpoint_format: aboveNought ? "gptq" : "gptq_v2",
    },
  };
}

function bitsandbytesConfig(
  type: "nf4" | "fp4",
  { settings }: PackedMatrix,
): Readonly<Record<string, unknown>> {
  return {
    quant_method: "bitsandbytes",
    load_in_4bit: true,
    load_in_8bit: false,
    bnb_4bit_quant_type: type,
    bnb_4bit_use_double_quant: settings["nested_offset"] !== undefined,
    bnb_4bit_compute_dtype: "float32",
    bnb_4bit_quant_storage: "uint8",
  };
}

/** The checkpoint's tensors in its order, packed ones in place of the weights that they were. */
async function tensorsOf(
  { model, source, parts, layers }: FolderParts,
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
  let loaded: { readonly layer: number; readonly result: ReturnType<Parts["load"]> } | undefined;
  // Tensors come in the checkpoint's order: one layer's are asked for together.
  const layerResult = (layer: number): ReturnType<Parts["load"]> => {
    if (loaded?.layer !== layer) loaded = { layer, result: parts.load(layer) };
    return loaded.result;
  };
  const tensors: TensorToWrite[] = [];
  let [packedBytes, weights] = [0, 0];
  for (const [name, info] of source.tensors) {
    const spec = specs.get(name);
    const result = spec && spec.layer < layers ? await layerResult(spec.layer) : undefined;
    const module = spec?.tensor.source.replace(/\.weight$/u, "") ?? "";
    const packed = result?.matrices.get(module);
    const changed = spec && result?.changed.get(spec.tensor.source);
    const { dtype } = info;
    if (packed && spec) {
      weights += packed.rows * packed.columns;
      const prefix = name.replace(/\.weight$/u, "");
      for (const [array, { dtype: type, shape, data }] of layout.write(prefix, packed)) {
        packedBytes += data.byteLength;
        tensors.push({
          name: array,
          dtype: type,
          shape,
          async *chunks() {
            const again = (await layerResult(spec.layer)).matrices.get(module);
            invariant(again, `${module} was there before`);
            const written = layout.write(prefix, again).get(array)?.data;
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
  return { tensors, written: { packedBytes, weights } };
}

function provenance({ quantizer }: FolderParts): Readonly<Record<string, unknown>> {
  return { spectune: { type: quantizer.type, ...quantizer.config } };
}
