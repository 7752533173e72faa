/**
 * @file 4-bit blocks as bitsandbytes stores them: codes in pairs with the first in the high half, blocks along the flattened matrix.
 *
 * `codes` uint8 [⌈n / 2⌉, 1]; `absmax` float32 [blocks], or with nested scales uint8 [blocks] with
 * `nested_absmax` float32 [⌈blocks / 256⌉], `nested_quant_map` float32 [256] and the setting `nested_offset`;
 * `quant_map` float32 [16].
 */
import { fp4CodeBook, nf4CodeBook } from "../../../../kernels/nf4/code-books.ts";
import {
  dynamicMap,
  nestScales,
  unnestScales,
  type NestedScales,
} from "../../../../kernels/nf4/nested-scales.ts";
import type { FourBitEncoder } from "../blocks/four-bit.ts";
import type { MatrixShape } from "../context.ts";
import type { PackedFormat, PackedMatrix, StoredArray } from "../packed.ts";
import { arrayOf, bytesOf, numberOf, stored } from "../packed.ts";

export interface BnbOptions {
  readonly type: "nf4" | "fp4";
  readonly blockSize: number;
  readonly doubleQuant: boolean;
}

export const bnb: PackedFormat = {
  name: "bnb",
  expand(packed, into) {
    const book = packed.settings["type"] === "fp4" ? fp4CodeBook : nf4CodeBook;
    const codes = bytesOf(packed, "codes");
    const scales = bnbScales(packed);
    const absmax = scales instanceof Float32Array ? scales : unnestScales(scales);
    const block = numberOf(packed, "block_size");
    const count = packed.rows * packed.columns;
    if (codes.length !== Math.ceil(count / 2) || absmax.length !== Math.ceil(count / block))
      throw new RangeError(
        `${codes.length} bytes and ${absmax.length} scales of ${count} weights.`,
      );
    if (block % 2 !== 0) throw new RangeError(`Blocks of ${block} weights end within a byte.`);
    // The 16 values of a block first, then a look-up for each code.
    const values = new Float32Array(16);
    for (const [index, scale] of absmax.entries()) {
      for (let code = 0; code < 16; code++) values[code] = (book[code] ?? NaN) * scale;
      const last = Math.min(count, (index + 1) * block);
      let i = index * block;
      for (; i + 1 < last; i += 2) {
        const pair = codes[i >>> 1] ?? 0;
        into[i] = values[pair >> 4] ?? NaN;
        into[i + 1] = values[pair & 15] ?? NaN;
      }
      if (i < last) into[i] = values[(codes[i >>> 1] ?? 0) >> 4] ?? NaN;
    }
  },
};

/** Scales as they are stored. */
export function bnbScales(packed: PackedMatrix): Float32Array | NestedScales {
  const { data } = arrayOf(packed, "absmax");
  if (data instanceof Float32Array) return data;
  const nested = arrayOf(packed, "nested_absmax").data;
  if (!(data instanceof Uint8Array && nested instanceof Float32Array))
    throw new RangeError("Scales are neither float32 nor nested.");
  return { codes: data, absmax: nested, offset: numberOf(packed, "nested_offset") };
}

/** Encodes W as bitsandbytes does; RangeError for NaN and infinities. */
export function encodeBnb(
  { rows, columns, data }: MatrixShape & { readonly data: Float32Array },
  { type, blockSize, doubleQuant }: BnbOptions,
  encode: FourBitEncoder,
): PackedMatrix {
  const { codes, absmax } = encode(data, { type, blockSize });
  const scales = doubleQuant ? nestScales(absmax) : absmax;
  return {
    format: bnb.name,
    rows,
    columns,
    settings: {
      type,
      block_size: blockSize,
      ...(!(scales instanceof Float32Array) && { nested_offset: scales.offset }),
    },
    tensors: arraysOf(type, codes, scales),
  };
}

/** Bytes that {@link encodeBnb} stores. */
export function bnbBytes(
  { rows, columns }: MatrixShape,
  { blockSize, doubleQuant }: Omit<BnbOptions, "type">,
): number {
  const count = rows * columns;
  const blocks = Math.ceil(count / blockSize);
  const scales = doubleQuant ? blocks + 4 * Math.ceil(blocks / 256) + 4 * 256 : 4 * blocks;
  return Math.ceil(count / 2) + scales + 4 * 16;
}

function arraysOf(
  type: BnbOptions["type"],
  codes: Uint8Array,
  scales: Float32Array | NestedScales,
): ReadonlyMap<string, StoredArray> {
  const book = Float32Array.from(type === "fp4" ? fp4CodeBook : nf4CodeBook);
  const arrays = new Map<string, StoredArray>([
    ["codes", stored("uint8", [codes.length, 1], Uint8Array.from(codes))],
    ["quant_map", stored("float32", [16], book)],
  ]);
  if (scales instanceof Float32Array)
    return arrays.set("absmax", stored("float32", [scales.length], Float32Array.from(scales)));
  return arrays
    .set("absmax", stored("uint8", [scales.codes.length], Uint8Array.from(scales.codes)))
    .set(
      "nested_absmax",
      stored("float32", [scales.absmax.length], Float32Array.from(scales.absmax)),
    )
    .set("nested_quant_map", stored("float32", [256], Float32Array.from(dynamicMap)));
}
