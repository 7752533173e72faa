/** @file Reads a checkpoint into the form a run holds it in, and starts the tensors that train. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { UserError, invariant } from "../../shared/errors.ts";
import { nestScales, unnestScales } from "../../../kernels/nf4/index.ts";
import type { Nf4, Scales } from "../../../kernels/nf4/index.ts";
import type { Init } from "../methods/define.ts";
import type { Model, TensorSpec } from "../models/architecture.ts";
import type { HeldTensor, PackedNF4 } from "../network/base-weights.ts";
import type { Factors } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import { bnbScales } from "../quantizers/formats/bnb.ts";
import { packedFormats } from "../quantizers/formats/table.ts";
import type { PackedMatrix } from "../quantizers/packed.ts";
import { bytesOf } from "../quantizers/packed.ts";
import type { BlockSetup, PackedStorage, Storage } from "../programs/setup.ts";
import { kindOf, storageOf } from "../programs/setup.ts";
import { fourBit } from "../runtime/four-bit.ts";
import { lazyLinalg } from "../runtime/linalg.ts";
import { refuseNonFinite, requireTensor } from "../weights/check-tensor.ts";
import { float32ToHalf, halfToFloat32 } from "../weights/dtype-conversion.ts";
import type { TensorInfo } from "../weights/safetensors.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import type { ModelSetup } from "./set-up.ts";
import { packWhenRead } from "./quantized-when-read.ts";
import { packedWeight } from "./packed-storage.ts";
import { storedName } from "../models/stored-tensor.ts";

/** Fills a tensor that starts at random: [shape] by its init, drawn for the parameter's name. */
export type Draw = (name: string, shape: Shape, init: Init, into: Float32Array) => void;

/** Progress in bytes. */
export type OnProgress = (done: number, total: number) => void;

/**
 * The frozen tensors of a setup, each read once; NaN and infinite weights are refused by name.
 * `nf4` packs what is held in NF4.
 */
export async function loadFrozen(
  setup: ModelSetup,
  source: WeightSource,
  nf4: Nf4 | undefined,
  onProgress: OnProgress,
): Promise<ReadonlyMap<string, HeldTensor>> {
  const wanted = new Map<string, { readonly tensor: TensorSpec; readonly storage: Storage }>();
  for (const block of setup.setups.values())
    for (const tensor of frozenTensors(block))
      wanted.set(tensor.source, { tensor, storage: storageOf(block, tensor.name) });
  const checkpoint = { model: setup.model, source };
  const bytesOf = (tensor: TensorSpec): number => lookedUp(tensor, checkpoint)?.bytes ?? 0;
  const total = [...wanted.values()].reduce((bytes, { tensor }) => bytes + bytesOf(tensor), 0);
  const held = new Map<string, HeldTensor>();
  let done = 0;
  for (const [name, { tensor, storage }] of wanted) {
    held.set(name, await hold(tensor, storage, checkpoint, nf4));
    done += bytesOf(tensor);
    onProgress(done, total);
  }
  return held;
}

/** Starts every parameter: from the checkpoint, or drawn. */
export async function startParameters(
  setup: ModelSetup,
  parameters: Parameters,
  source: WeightSource,
  draw: Draw,
): Promise<void> {
  const checkpoint = { model: setup.model, source };
  for (const { name, shape, start } of setup.trained) {
    const { weight } = parameters.get(name);
    if ("init" in start) draw(name, shape, start.init, weight);
    // A head that the checkpoint lacks starts as transformers starts it; anything else must be there.
    else if (start.tensor.fresh !== undefined && !lookedUp(start.tensor, checkpoint))
      draw(name, shape, start.tensor.fresh, weight);
    else {
      const values = await readFloats(start.tensor, checkpoint);
      weight.set(values);
      giveBack(values);
    }
  }
}

/** Draws the frozen factors. */
export function drawFactors(setup: ModelSetup, factors: Factors, draw: Draw): void {
  for (const { name, shape, init } of setup.factors) {
    const { data } = factors.get(name);
    if (data instanceof Float32Array) draw(name, shape, init, data);
  }
}

/** A checkpoint and the model that it is read as. */
interface Checkpoint {
  readonly model: Model;
  readonly source: WeightSource;
}

/** The checkpoint's tensor; undefined where it lacks it. */
function lookedUp(tensor: TensorSpec, { model, source }: Checkpoint): TensorInfo | undefined {
  return source.tensors.get(storedName(model, source.tensors, tensor) ?? tensor.source);
}

/** The checkpoint's matrix, packed as it is stored; undefined where it is not. */
async function storedPacked(
  tensor: TensorSpec,
  checkpoint: Checkpoint,
): Promise<PackedMatrix | undefined> {
  const info = lookedUp(tensor, checkpoint);
  return info && checkpoint.source.packed?.(info.name);
}

async function holdPacked(
  tensor: TensorSpec,
  storage: PackedStorage,
  checkpoint: Checkpoint,
): Promise<HeldTensor> {
  const { shape } = tensor;
  const matrix = storage.by
    ? await packedNow(tensor, storage, checkpoint)
    : await storedPacked(tensor, checkpoint);
  invariant(matrix, `${tensor.source} is not packed`);
  requireTensor(
    checkpoint.source,
    lookedUp(tensor, checkpoint)?.name ?? tensor.source,
    tensor.transposed ? shape.toReversed() : shape,
  );
  const format = packedFormats.find(({ name }) => name === matrix.format);
  invariant(format, `there is no format ${matrix.format}`);
  const packed = packedWeight(matrix, format.expand, storage.blocks !== undefined);
  if (storage.blocks && !packed.blocks) throw unordered(tensor);
  return { type: "packed", shape, packed };
}

async function packedNow(
  tensor: TensorSpec,
  storage: PackedStorage,
  checkpoint: Checkpoint,
): Promise<PackedMatrix> {
  const data = await readFloats(tensor, checkpoint);
  const [rows = 1, columns = 1] = tensor.shape;
  const module = tensor.source.replace(/\.weight$/u, "");
  const matrix = { module, kind: kindOf({ module }), rows, columns, data };
  const packed = await packWhenRead(storage, matrix, { linalg: linalg(), fourBit });
  giveBack(data);
  return packed;
}

/** Opened where a quantizer packs as a model is read. */
const linalg = lazyLinalg();

function unordered({ source }: TensorSpec): UserError {
  return new UserError({
    code: "packed-weights",
    message: `The groups of ${source} lie apart, which config.json does not say (desc_act).`,
    remedy: "Take the model again from where it came from.",
  });
}

/** NF4 of a file as it is. */
async function holdPackedNf4(
  tensor: TensorSpec,
  storage: Storage & { readonly type: "nf4" },
  checkpoint: Checkpoint,
): Promise<HeldTensor | undefined> {
  const matrix = await storedPacked(tensor, checkpoint);
  if (!matrix) return undefined;
  const { shape } = tensor;
  const codes = bytesOf(matrix, "codes");
  const count = matrix.rows * matrix.columns;
  return {
    type: "nf4",
    shape,
    packed: heldNf4(codes, bnbScales(matrix), storage.blockSize, count),
  };
}

function heldNf4(codes: Uint8Array, scales: Scales, blockSize: number, count: number): PackedNF4 {
  return {
    codes,
    scales,
    blockSize,
    count,
    bytes:
      codes.byteLength +
      (scales instanceof Float32Array
        ? scales.byteLength
        : scales.codes.byteLength + scales.absmax.byteLength + 4),
    absmax(into) {
      into.set(scales instanceof Float32Array ? scales : unnestScales(scales));
    },
  };
}

function frozenTensors(block: BlockSetup): readonly TensorSpec[] {
  return block.spec.tensors.filter(({ name }) => !block.trained.has(name));
}

async function hold(
  tensor: TensorSpec,
  storage: Storage,
  checkpoint: Checkpoint,
  nf4: Nf4 | undefined,
): Promise<HeldTensor> {
  const { shape } = tensor;
  switch (storage.type) {
    case "float32":
      return { type: "float32", shape, data: await readFloats(tensor, checkpoint) };
    case "float16":
    case "bfloat16": {
      const { bytes } = await readChecked(tensor, checkpoint);
      const stored = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      const data = tensor.transposed
        ? transposed(stored, new Uint16Array(stored.length), shape)
        : stored;
      if (data !== stored) giveBack(bytes);
      return { type: storage.type, shape, data };
    }
    case "packed":
      return holdPacked(tensor, storage, checkpoint);
    case "nf4": {
      const held = await holdPackedNf4(tensor, storage, checkpoint);
      if (held) return held;
      return holdEncoded(tensor, storage, checkpoint, nf4);
    }
  }
}

async function holdEncoded(
  tensor: TensorSpec,
  storage: Storage,
  checkpoint: Checkpoint,
  nf4: Nf4 | undefined,
): Promise<HeldTensor> {
  const values = await readFloats(tensor, checkpoint);
  const held = holdValues(tensor, storage, values, nf4);
  giveBack(values);
  return held;
}

/** Values [shape] in the form that a tensor is held in; float32 ones are kept, not copied. */
export function holdValues(
  tensor: TensorSpec,
  storage: Storage,
  values: Float32Array,
  nf4: Nf4 | undefined,
): HeldTensor {
  const { shape } = tensor;
  switch (storage.type) {
    case "float32":
      return { type: "float32", shape, data: values };
    case "float16":
    case "bfloat16": {
      const data = new Uint16Array(values.length);
      float32ToHalf(storage.type, values, data);
      return { type: storage.type, shape, data };
    }
    case "packed":
      // What was changed for this run is not rounded anew.
      return { type: "float32", shape, data: values };
    case "nf4":
      invariant(nf4, "NF4 weights need the kernel");
      return { type: "nf4", shape, packed: pack(tensor, values, storage, nf4) };
  }
}

/** A frozen tensor of a setup in float32, as the file has it. */
export function readOriginal(
  { model }: ModelSetup,
  source: WeightSource,
  tensor: TensorSpec,
): Promise<Float32Array> {
  return readFloats(tensor, { model, source });
}

function pack(
  tensor: TensorSpec,
  values: Float32Array,
  storage: Storage & { readonly type: "nf4" },
  nf4: Nf4,
): PackedNF4 {
  const quantized = nf4.quantize(values);
  invariant(quantized.kind === "quantized", `${tensor.source} is not finite`);
  const { codes, absmax } = quantized;
  const scales: Scales = storage.doubleQuant ? nestScales(absmax) : absmax;
  return heldNf4(codes, scales, storage.blockSize, values.length);
}

/** A tensor in float32 and in our orientation. */
async function readFloats(
  tensor: TensorSpec,
  checkpoint: Checkpoint,
): Promise<Float32Array<ArrayBuffer>> {
  const { bytes, dtype } = await readChecked(tensor, checkpoint);
  const values = widen(tensor, bytes, dtype);
  if (values.buffer !== bytes.buffer) giveBack(bytes);
  if (!tensor.transposed) return values;
  const turned = transposed(values, new Float32Array(values.length), tensor.shape);
  giveBack(values);
  return turned;
}

/** Frees an array's memory now: the garbage collector would let much of a model pile up first. */
function giveBack({ buffer }: ArrayBufferView<ArrayBuffer>): void {
  buffer.transfer(0);
}

function widen(
  tensor: TensorSpec,
  bytes: Uint8Array<ArrayBuffer>,
  dtype: DType,
): Float32Array<ArrayBuffer> {
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
        message: `${tensor.source} is stored as ${dtype}; weights are read in float32, float16 and bfloat16.`,
        remedy: "Use a copy of the model in one of these.",
      });
  }
}

/** A tensor's bytes as they are stored; it must be there, of the model's shape, and finite. */
async function readChecked(
  tensor: TensorSpec,
  checkpoint: Checkpoint,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly dtype: DType }> {
  const { source } = checkpoint;
  const shape = tensor.transposed ? tensor.shape.toReversed() : tensor.shape;
  const info = requireTensor(source, lookedUp(tensor, checkpoint)?.name ?? tensor.source, shape);
  const bytes = await source.read(info.name);
  refuseNonFinite(info, bytes);
  return { bytes, dtype: info.dtype };
}

/** [in, out] to [out, in]; `shape` is the result's. */
function transposed<T extends Float32Array | Uint16Array>(from: T, to: T, shape: Shape): T {
  const [rows = 1, columns = 1] = shape;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      to[row * columns + column] = from[column * rows + row] ?? 0;
  return to;
}
