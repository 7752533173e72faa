/** @file The frozen weights in memory, in the form they are held in, and their decoding just before use. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Scales } from "../../../kernels/nf4/index.ts";

/** A base tensor as it is held. Shapes are in our orientation: linear weights [out, in]. */
export type HeldTensor =
  | { readonly type: "float32"; readonly shape: Shape; readonly data: Float32Array }
  | { readonly type: "float16" | "bfloat16"; readonly shape: Shape; readonly data: Uint16Array }
  | { readonly type: "nf4"; readonly shape: Shape; readonly packed: PackedNF4 }
  | { readonly type: "packed"; readonly shape: Shape; readonly packed: PackedWeight };

/** A matrix as a quantizer stored it. */
export interface PackedWeight {
  /** Of everything that is held. */
  readonly bytes: number;
  /** Writes W [out, in]. */
  readonly expand: (into: Float32Array) => void;
  /** Where an operator multiplies by it as it is. */
  readonly blocks?: PackedBlocks;
  /** Other weights in the same blocks, each to its nearest code. */
  readonly reencode?: (values: Float32Array) => PackedWeight;
}

/** Codes on uniform grids in groups along the rows, as `MatMulNBits` takes them. */
export interface PackedBlocks {
  /** [out, in · bits / 8] */
  readonly codes: Uint8Array;
  /** [out, groups] */
  readonly scales: Float32Array;
  /** [out, ⌈groups · bits / 8⌉] */
  readonly zeros: Uint8Array;
}

/** NF4 codes with doubly quantized scales, as bitsandbytes holds them. */
export interface PackedNF4 {
  /** Two codes a byte, the first in the high nibble [⌈n/2⌉]. */
  readonly codes: Uint8Array;
  /** The blocks' scales as they are held. */
  readonly scales: Scales;
  readonly blockSize: number;
  /** Number of weights. */
  readonly count: number;
  /** Writes the blocks' scales [⌈n/blockSize⌉]. */
  readonly absmax: (into: Float32Array) => void;
  /** Bytes held in all. */
  readonly bytes: number;
}

/** Expands held tensors to float32; the result lies in memory that the next call overwrites. */
export interface Decoder {
  half(data: Uint16Array, type: "float16" | "bfloat16"): Float32Array;
  nf4(packed: PackedNF4): Float32Array;
  packed(packed: PackedWeight, count: number): Float32Array;
}

export interface BaseWeights {
  get(source: string): HeldTensor;
  /** Puts another in a tensor's place: passes read it from now on. */
  replace(source: string, held: HeldTensor): void;
  /** A tensor in float32, decoded into the shared buffer where it is held otherwise. */
  decode(source: string): Float32Array;
  /** What is written over a tensor held in 16 bits whenever it was decoded; undefined for nothing any more. */
  overlay(source: string, write: ((decoded: Float32Array) => void) | undefined): void;
  /** Rows of an embedding table [ids.length, width], written into `into`. */
  rows(source: string, ids: Int32Array, into: Float32Array): void;
  /** Bytes held, by kind. */
  readonly bytes: { readonly quantized: number; readonly plain: number };
}

export function createBaseWeights(
  loaded: ReadonlyMap<string, HeldTensor>,
  decoder: Decoder,
): BaseWeights {
  const tensors = new Map(loaded);
  const get = (source: string): HeldTensor => {
    const tensor = tensors.get(source);
    invariant(tensor, `the base tensor ${source} was not loaded`);
    return tensor;
  };
  const all = [...tensors.values()];
  const overlays = new Map<string, (decoded: Float32Array) => void>();
  return {
    get,
    overlay(source, write) {
      if (write) overlays.set(source, write);
      else overlays.delete(source);
    },
    replace(source, held) {
      invariant(tensors.has(source), `the base tensor ${source} was not loaded`);
      tensors.set(source, held);
    },
    decode(source) {
      const tensor = get(source);
      switch (tensor.type) {
        case "float32":
          return tensor.data;
        case "float16":
        case "bfloat16": {
          const decoded = decoder.half(tensor.data, tensor.type);
          overlays.get(source)?.(decoded);
          return decoded;
        }
        case "nf4":
          return decoder.nf4(tensor.packed);
        case "packed":
          return decoder.packed(tensor.packed, elementCount(tensor.shape));
      }
    },
    rows(source, ids, into) {
      const table = get(source);
      invariant("data" in table, `${source} is an embedding table and is not quantized`);
      const width = elementCount(table.shape.slice(1));
      ids.forEach((id, row) => {
        const from = table.data.subarray(id * width, (id + 1) * width);
        if (table.type === "float32") into.set(from, row * width);
        else if (from instanceof Uint16Array) into.set(decoder.half(from, table.type), row * width);
      });
    },
    bytes: {
      quantized: all.reduce((sum, tensor) => sum + ("data" in tensor ? 0 : tensor.packed.bytes), 0),
      plain: all.reduce((sum, tensor) => sum + ("data" in tensor ? tensor.data.byteLength : 0), 0),
    },
  };
}
