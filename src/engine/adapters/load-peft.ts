/** @file Loads an adapter folder of peft's form: opens it, finds its place in a model, and fills trained tensors from it. */
import { join } from "node:path";
import { at, UserError, invariant } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { inOurOrder } from "../exports/tensor-values.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { Model } from "../models/architecture.ts";
import type { Factors } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import { readJson } from "../session/open-model.ts";
import { storedName } from "../models/stored-tensor.ts";
import { refuseNonFinite, requireTensor } from "../weights/check-tensor.ts";
import { halfToFloat32 } from "../weights/dtype-conversion.ts";
import { throwErrors } from "../weights/read-errors.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { openWeights } from "../weights/weight-source.ts";
import { isFile } from "../weights/on-disk.ts";
import type { LoraAdapterConfig } from "./lora-config.ts";
import { readLoraConfig } from "./lora-config.ts";
import type { PlacedAdapter, PlacedEmbedding, PlacedTensor } from "./place-adapter.ts";
import { filesOf, placeAdapter } from "./place-adapter.ts";
import type { OtherAdapterConfig } from "./other-config.ts";
import { isOtherConfig, readOtherConfig } from "./other-config.ts";

export interface OpenAdapter {
  readonly folder: string;
  readonly config: LoraAdapterConfig | OtherAdapterConfig;
  readonly source: WeightSource;
  /** Outputs of the classification head that it brings. */
  readonly labels: number | undefined;
  readonly findings: readonly Finding[];
}

/** Names by which transformers' classifiers end their heads. */
const headWeights = ["classifier.weight", "classifier.out_proj.weight", "score.weight"];

/** Opens an adapter's two files; a {@link UserError} names what is missing or not understood. The caller closes `source`. */
export async function openAdapter(folder: string): Promise<OpenAdapter> {
  const [configFile, weightsFile] = [
    join(folder, adapterFiles.config),
    join(folder, adapterFiles.weights),
  ];
  if (!(await isFile(configFile)) || !(await isFile(weightsFile)))
    throw await noAdapter(folder, configFile);
  const json = await readJson(configFile);
  const { value: config, findings } = isOtherConfig(json)
    ? readOtherConfig(json, configFile)
    : readLoraConfig(json, configFile);
  throwErrors(findings);
  invariant(config, "an adapter without errors has a configuration");
  const source = await openWeights(weightsFile);
  return {
    folder,
    config,
    source,
    labels: headOutputCount(source),
    findings: [...findings, ...source.findings],
  };
}

/** Outputs of the classification head among these tensors; undefined where there is none. */
export function headOutputCount({ tensors }: Pick<WeightSource, "tensors">): number | undefined {
  const head = [...tensors].find(([name]) =>
    headWeights.some((end) => `.${name}`.endsWith(`.${end}`)),
  );
  return head?.[1].shape[0];
}

/** Where the adapter goes in a model; a {@link UserError} where it does not fit. Nothing but headers is read. */
export function placeOpenAdapter(
  { config, source }: OpenAdapter,
  model: Model,
  fullMatch: FullMatch,
): PlacedAdapter {
  const names = new Set(source.tensors.keys());
  const { value, findings } =
    "place" in config
      ? config.place(names, model, fullMatch)
      : placeAdapter(config, names, model, fullMatch);
  throwErrors(findings);
  for (const { name, shape } of value.tensors.flatMap(filesOf)) requireTensor(source, name, shape);
  for (const { A, B } of value.embeddings)
    for (const { name, shape } of [A, B]) requireTensor(source, name, shape);
  return value;
}

/** Fills the trained tensors, and the frozen factors, that the adapter brings; the others stay as they are. */
export async function fillFromAdapter(
  placed: PlacedAdapter,
  source: WeightSource,
  parameters: Parameters,
  factors?: Factors,
): Promise<void> {
  for (const placedTensor of placed.tensors) {
    const { parameter, shape, replaces, columns, packing } = placedTensor;
    const parts: Float32Array[] = [];
    for (const file of filesOf(placedTensor)) parts.push(await readNumbers(source, file));
    const whole = packing ? packing.unpack(parts) : at(parts, 0);
    const values = columns ? columnsOf(whole, shape, columns) : whole;
    const frozen = factors?.all.get(parameter);
    const into = frozen ? frozen.data : parameters.get(parameter).weight;
    into.set(replaces ? inOurOrder(values, replaces) : values);
  }
  for (const embedding of placed.embeddings)
    addToTable(
      parameters.get(embedding.table.source).weight,
      await readFloats(source, embedding.A.name, embedding.A.shape),
      await readFloats(source, embedding.B.name, embedding.B.shape),
      embedding,
    );
}

function columnsOf(
  values: Float32Array,
  [rows = 0, width = 0]: readonly number[],
  { from, count }: NonNullable<PlacedTensor["columns"]>,
): Float32Array {
  const part = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++)
    part.set(values.subarray(row * width + from, row * width + from + count), row * count);
  return part;
}

/** Refuses copies of frozen matrices that are not the base's: the adapter was made on a changed base. */
export async function checkCopies(
  { copies }: PlacedAdapter,
  source: WeightSource,
  { model, source: base }: { readonly model: Model; readonly source: WeightSource },
): Promise<void> {
  for (const { name, of } of copies) {
    const info = base.tensors.get(storedName(model, base.tensors, of) ?? "");
    const copy = source.tensors.get(name);
    if (!info || !copy) continue;
    const same =
      copy.shape.join() === info.shape.join() &&
      equal(
        await readFloats(source, name, copy.shape),
        await readFloats(base, info.name, info.shape),
      );
    if (!same)
      throw new UserError({
        code: "adapter-changes-base",
        message: `The adapter brings another ${of.source} than the base has: [${copy.shape.join(", ")}] for [${info.shape.join(", ")}].`,
        place: { file: copy.file, field: name },
        remedy:
          "Take the base that the adapter was trained on, with the same vocabulary, or merge the adapter in peft.",
      });
  }
}

/** Equal up to bfloat16's precision: a copy may be stored in fewer bits than the base. */
function equal(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, place) => {
    const other = at(b, place);
    return Math.abs(value - other) <= 2 ** -8 * Math.max(Math.abs(value), Math.abs(other));
  });
}

/** Row v of the table: W_v + scale (B A)ᵀ_v. */
function addToTable(
  table: Float32Array,
  A: Float32Array,
  B: Float32Array,
  { A: { shape: shapeA }, B: { shape: shapeB }, scale }: PlacedEmbedding,
): void {
  const [r, rows] = [at(shapeA, 0), at(shapeA, 1)];
  const width = at(shapeB, 0);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let k = 0; k < r; k++) sum += at(A, k * rows + row) * at(B, column * r + k);
      const place = row * width + column;
      table[place] = at(table, place) + scale * sum;
    }
}

/** The same, or whole numbers of a part of a packed one. */
async function readNumbers(
  source: WeightSource,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
): Promise<Float32Array> {
  const kind = source.tensors.get(name)?.dtype;
  if (kind !== "uint8" && kind !== "int16" && kind !== "int32")
    return await readFloats(source, name, shape);
  const { buffer, byteOffset, byteLength } = await source.read(name);
  const view = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array }[kind];
  return Float32Array.from(new view(buffer, byteOffset, byteLength / view.BYTES_PER_ELEMENT));
}

/** A tensor of the file in float32. */
async function readFloats(
  source: WeightSource,
  name: string,
  shape: readonly number[],
): Promise<Float32Array> {
  const info = requireTensor(source, name, shape);
  const bytes = await source.read(name);
  refuseNonFinite(info, bytes);
  switch (info.dtype) {
    case "float32":
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    case "float16":
    case "bfloat16": {
      const values = new Float32Array(bytes.byteLength / 2);
      halfToFloat32(
        info.dtype,
        new Uint16Array(bytes.buffer, bytes.byteOffset, values.length),
        values,
      );
      return values;
    }
    default:
      throw new UserError({
        code: "unsupported-weight-dtype",
        message: `${name} is stored as ${info.storedAs}; adapters are read in float32, float16 and bfloat16.`,
        place: { file: info.file, field: name },
        remedy: "Save it in one of these from peft: `model.half().save_pretrained(folder)`.",
      });
  }
}

async function noAdapter(folder: string, configFile: string): Promise<UserError> {
  const [hasConfig, isPickled] = [
    await isFile(configFile),
    await isFile(join(folder, "adapter_model.bin")),
  ];
  const missing = hasConfig ? adapterFiles.weights : adapterFiles.config;
  return new UserError({
    code: isPickled ? "pickled-weights" : "adapter-not-found",
    message: isPickled
      ? `${folder} holds its adapter only in PyTorch's pickle format, which can run code when it is read and is never opened here.`
      : `${folder} is no adapter folder: it has no ${missing}.`,
    place: { file: folder },
    remedy: isPickled
      ? "Where you trust it, load it with peft once and call `save_pretrained(folder)`, which writes safetensors."
      : `An adapter folder of peft has ${adapterFiles.config} and ${adapterFiles.weights}.`,
  });
}
