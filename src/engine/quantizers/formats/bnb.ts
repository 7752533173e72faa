/**
 * @file 4-bit blocks as bitsandbytes stores them: codes in pairs with the first in the high half, blocks along the flattened matrix.
 *
 * `codes` uint8 [⌈n / 2⌉, 1]; `absmax` float32 [blocks], or with nested scales uint8 [blocks] with
 * `nested_absmax` float32 [⌈blocks / 256⌉], `nested_quant_map` float32 [256] and the setting `nested_offset`;
 * `quant_map` float32 [16].
 */
import type { Blocks } from "../blocks/book-blocks.ts";
import { encodeBlocks } from "../blocks/book-blocks.ts";
import { dynamic8, fp4, nf4 } from "../blocks/code-books.ts";
import { unnestScales, type NestedScales } from "../../../../kernels/nf4/nested-scales.ts";
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
    const { values } = packed.settings["type"] === "fp4" ? fp4 : nf4;
    const codes = bytesOf(packed, "codes");
    const scales = bnbScales(packed);
    const absmax = scales instanceof Float32Array ? scales : unnestScales(scales);
    const block = numberOf(packed, "block_size");
    const count = packed.rows * packed.columns;
    if (codes.length !== Math.ceil(count / 2) || absmax.length !== Math.ceil(count / block))
      throw new RangeError(
        `${codes.length} bytes and ${absmax.length} scales of ${count} weights.`,
      );
    for (let i = 0; i < count; i++) {
      const pair = codes[i >> 1] ?? 0;
      const code = i % 2 === 0 ? pair >> 4 : pair & 15;
      into[i] = (values[code] ?? NaN) * (absmax[Math.floor(i / block)] ?? NaN);
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

/** Encodes W as bitsandbytes does. */
export function encodeBnb(
  { rows, columns, data }: MatrixShape & { readonly data: Float32Array },
  { type, blockSize, doubleQuant }: BnbOptions,
): PackedMatrix {
  const blocks = encodeBlocks(
    { rows: 1, columns: rows * columns, data },
    { book: type === "nf4" ? nf4 : fp4, granularity: blockSize, nested: doubleQuant },
  );
  return {
    format: bnb.name,
    rows,
    columns,
    settings: {
      type,
      block_size: blockSize,
      ...(!(blocks.scales instanceof Float32Array) && { nested_offset: blocks.scales.offset }),
    },
    tensors: arraysOf(blocks),
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

function arraysOf({ book, codes, scales }: Blocks): ReadonlyMap<string, StoredArray> {
  const pairs = new Uint8Array(Math.ceil(codes.length / 2));
  // What an odd count leaves over stands for 0, as in bitsandbytes.
  const rest = book.nearest(0);
  for (let j = 0; j < pairs.length; j++)
    pairs[j] = ((codes[2 * j] ?? rest) << 4) | (codes[2 * j + 1] ?? rest);
  const arrays = new Map<string, StoredArray>([
    ["codes", stored("uint8", [pairs.length, 1], pairs)],
    ["quant_map", stored("float32", [16], book.values)],
  ]);
  if (scales instanceof Float32Array)
    return arrays.set("absmax", stored("float32", [scales.length], scales));
  return arrays
    .set("absmax", stored("uint8", [scales.codes.length], Uint8Array.from(scales.codes)))
    .set(
      "nested_absmax",
      stored("float32", [scales.absmax.length], Float32Array.from(scales.absmax)),
    )
    .set("nested_quant_map", stored("float32", [256], dynamic8.values));
}
