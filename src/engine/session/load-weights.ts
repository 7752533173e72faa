/** @file Reads a checkpoint into the form a run holds it in, and starts the tensors that train. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { UserError, invariant } from "../../shared/errors.ts";
import { nestScales, unnestScales } from "../../../kernels/nf4/index.ts";
import type { Nf4, Scales } from "../../../kernels/nf4/index.ts";
import type { Init } from "../methods/define.ts";
import type { TensorSpec } from "../models/architecture.ts";
import type { HeldTensor, PackedNF4 } from "../network/base-weights.ts";
import type { Parameters } from "../network/parameters.ts";
import type { BlockSetup, Storage } from "../programs/setup.ts";
import { storageOf } from "../programs/setup.ts";
import { findNonFinite, halfToFloat32 } from "../weights/dtype-conversion.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import type { ModelSetup } from "./set-up.ts";

/** Fills a tensor that starts at random: [shape] by its init, drawn for the parameter's name. */
export type Draw = (name: string, shape: Shape, init: Init, into: Float32Array) => void;

/** Progress in bytes. */
export type OnProgress = (done: number, total: number) => void;

/**
 * The frozen tensors of a setup, each read once; NaN and infinite weights are refused by name.
 * `nf4` packs what is held in NF4.
 */
export async function loadFrozen(setup: ModelSetup, source: WeightSource, nf4: Nf4 | undefined, onProgress: OnProgress): Promise<ReadonlyMap<string, HeldTensor>> {
  const wanted = new Map<string, { readonly tensor: TensorSpec; readonly storage: Storage }>();
  for (const block of setup.setups.values())
    for (const tensor of frozenTensors(block))
      wanted.set(tensor.source, { tensor, storage: storageOf(block, tensor.name) });
  const total = [...wanted.values()].reduce((bytes, { tensor }) => bytes + (source.tensors.get(storedName(tensor))?.bytes ?? 0), 0);
  const held = new Map<string, HeldTensor>();
  let done = 0;
  for (const [name, { tensor, storage }] of wanted) {
    held.set(name, await hold(tensor, storage, source, nf4));
    done += source.tensors.get(storedName(tensor))?.bytes ?? 0;
    onProgress(done, total);
  }
  return held;
}

/** Starts every parameter: from the checkpoint, or drawn. */
export async function startParameters(setup: ModelSetup, parameters: Parameters, source: WeightSource, draw: Draw): Promise<void> {
  for (const { name, shape, start } of setup.trained) {
    const { weight } = parameters.get(name);
    if ("init" in start) draw(name, shape, start.init, weight);
    else if (source.tensors.has(storedName(start.tensor))) weight.set(await readFloats(start.tensor, source));
    // A head that the checkpoint lacks starts as transformers starts it.
    else draw(name, shape, start.tensor.role === "bias" ? "zeros" : { normal: 0.02 }, weight);
  }
}

/** The checkpoint's name of a tensor. */
function storedName({ source, stored = source }: TensorSpec): string {
  return stored;
}

function frozenTensors(block: BlockSetup): readonly TensorSpec[] {
  return block.spec.tensors.filter(({ name }) => !block.trained.has(name));
}

async function hold(tensor: TensorSpec, storage: Storage, source: WeightSource, nf4: Nf4 | undefined): Promise<HeldTensor> {
  const { shape } = tensor;
  switch (storage.type) {
    case "float32":
      return { type: "float32", shape, data: await readFloats(tensor, source) };
    case "float16":
    case "bfloat16": {
      const bytes = await readChecked(tensor, source);
      const stored = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      const data = tensor.transposed ? transposed(stored, new Uint16Array(stored.length), shape) : stored;
      return { type: storage.type, shape, data };
    }
    case "nf4": {
      invariant(nf4, "NF4 weights need the kernel");
      const packed = pack(tensor, await readFloats(tensor, source), storage, nf4);
      return { type: "nf4", shape, packed };
    }
  }
}

function pack(tensor: TensorSpec, values: Float32Array, storage: Storage & { readonly type: "nf4" }, nf4: Nf4): PackedNF4 {
  const quantized = nf4.quantize(values);
  invariant(quantized.kind === "quantized", `${tensor.source} is not finite`);
  const { codes, absmax } = quantized;
  const scales: Scales = storage.doubleQuant ? nestScales(absmax) : absmax;
  return {
    codes,
    scales,
    blockSize: storage.blockSize,
    count: values.length,
    bytes: codes.byteLength + (scales instanceof Float32Array ? scales.byteLength : scales.codes.byteLength + scales.absmax.byteLength + 4),
    absmax(into) {
      into.set(scales instanceof Float32Array ? scales : unnestScales(scales));
    },
  };
}

/** A tensor in float32 and in our orientation. */
async function readFloats(tensor: TensorSpec, source: WeightSource): Promise<Float32Array> {
  const info = source.tensors.get(storedName(tensor));
  const bytes = await readChecked(tensor, source);
  const values = widen(tensor, bytes, info?.dtype);
  return tensor.transposed ? transposed(values, new Float32Array(values.length), tensor.shape) : values;
}

function widen(tensor: TensorSpec, bytes: Uint8Array<ArrayBuffer>, dtype: DType | undefined): Float32Array {
  switch (dtype) {
    case "float32":
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    case "float16":
    case "bfloat16": {
      const values = new Float32Array(bytes.byteLength / 2);
      halfToFloat32(dtype, new Uint16Array(bytes.buffer, bytes.byteOffset, values.length), values);
      return values;
    }
    default:
      throw new UserError({
        code: "unsupported-weight-dtype",
        message: `${tensor.source} is stored as ${dtype ?? "an unknown type"}; weights are read in float32, float16 and bfloat16.`,
      });
  }
}

async function readChecked(tensor: TensorSpec, source: WeightSource): Promise<Uint8Array<ArrayBuffer>> {
  const info = source.tensors.get(storedName(tensor));
  if (!info) throw missing(tensor, source);
  const expected = tensor.transposed ? tensor.shape.toReversed() : tensor.shape;
  if (info.shape.join() !== expected.join())
    throw new UserError({
      code: "wrong-tensor-shape",
      message: `${tensor.source} has shape [${info.shape.join(", ")}]; the model's config.json asks for [${expected.join(", ")}].`,
      place: { file: info.file },
      remedy: "config.json and the weights belong to different models, or one of them is damaged.",
    });
  const bytes = await source.read(storedName(tensor));
  const bad = info.dtype === undefined ? undefined : findNonFinite(bytes, info.dtype);
  if (bad !== undefined)
    throw new UserError({
      code: "non-finite-weight",
      message: `${tensor.source} holds NaN or an infinite number, at element ${bad} of ${elementCount(info.shape)}.`,
      place: { file: info.file },
      remedy: "The checkpoint is damaged; get it again.",
    });
  return bytes;
}

function missing(tensor: TensorSpec, source: WeightSource): UserError {
  return new UserError({
    code: "missing-tensor",
    message: `The weights have no tensor ${tensor.source}.`,
    place: { file: source.path },
    remedy: "The checkpoint is incomplete, or of another architecture than its config.json says.",
  });
}

/** [in, out] to [out, in]; `shape` is the result's. */
function transposed<T extends Float32Array | Uint16Array>(from: T, to: T, shape: Shape): T {
  const [rows = 1, columns = 1] = shape;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) to[row * columns + column] = from[column * rows + row] ?? 0;
  return to;
}
