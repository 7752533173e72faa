/** @file Weights by code book with a scale for each tensor, row or group: w ≈ values[code] · scale. */
import {
  nestScales,
  unnestScales,
  type NestedScales,
} from "../../../../kernels/nf4/nested-scales.ts";
import {
  checkFinite,
  checkShape,
  type Data,
  type Matrix,
} from "../../../../kernels/linalg/matrix.ts";
import type { CodeBook } from "./code-books.ts";
import { groupsOf, type Granularity } from "./uniform-grid.ts";

/** What of a group meets 1 (for `absmax`: the top of the book). */
export type Measure = "absmax" | "absmean" | "median";

export interface BlockOptions {
  readonly book: CodeBook;
  /** bitsandbytes' blocks, which do not end with a row, are groups of a matrix of one row. */
  readonly granularity: Granularity;
  /** `absmax` where not given; binary and ternary books want a mean or a median of the magnitudes. */
  readonly measure?: Measure;
  /** Rounds each scale up to a power of two (ZeroQuant-FP's M1). */
  readonly powerOfTwo?: boolean;
  /** Rounds each scale above 0 once it is found, to float16 say; codes then come from the rounded one. */
  readonly roundScale?: (scale: number) => number;
  /** Keeps scales in 8 bits, as bitsandbytes' double quantization; codes come from the scales before. */
  readonly nested?: boolean;
}

export interface Blocks {
  readonly book: CodeBook;
  readonly rows: number;
  readonly columns: number;
  readonly granularity: Granularity;
  /** [rows · columns] */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** [groups], row by row. */
  readonly scales: Float32Array<ArrayBuffer> | NestedScales;
}

/**
 * Codes are those nearest to w · (1 / scale), quotient and product in float32 and the scale at least
 * 1e-38 there, as in bitsandbytes; a group of zeros becomes zeros where the book has one, and its scale
 * is 0. RangeError for NaN and infinities.
 */
export function encodeBlocks(matrix: Matrix<Data>, options: BlockOptions): Blocks {
  const { book, granularity, nested = false } = options;
  checkShape("Encoding by a code book", matrix);
  checkFinite("Encoding by a code book", matrix);
  const { rows, columns, group, perRow } = groupsOf(matrix, granularity);
  const codes = new Uint8Array(matrix.data.length);
  const scales = new Float32Array(rows * perRow);
  for (let row = 0; row < rows; row++)
    for (let g = 0; g < perRow; g++) {
      const from = row * columns + g * group;
      const to = Math.min(from + group, (row + 1) * columns);
      const scale = blockScale(matrix.data.subarray(from, to), options);
      scales[row * perRow + g] = scale;
      const inverse = inverseOf(scale);
      for (let i = from; i < to; i++)
        codes[i] = book.nearest(Math.fround((matrix.data[i] ?? NaN) * inverse));
    }
  const kept = nested ? nestScales(scales) : scales;
  return { book, rows: matrix.rows, columns: matrix.columns, granularity, codes, scales: kept };
}

/** values[code] · scale in float32, row-major. */
export function decodeBlocks(blocks: Blocks): Float32Array<ArrayBuffer> {
  const { book, codes, granularity } = blocks;
  const scales =
    blocks.scales instanceof Float32Array ? blocks.scales : unnestScales(blocks.scales);
  const { rows, columns, group, perRow } = groupsOf(blocks, granularity);
  const values = new Float32Array(codes.length);
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < columns; j++) {
      const i = row * columns + j;
      const scale = scales[row * perRow + Math.floor(j / group)] ?? NaN;
      values[i] = (book.values[codes[i] ?? 0] ?? NaN) * scale;
    }
  return values;
}

/** Bytes of packed codes and scales together. */
export function blockBytes({ book, codes, scales }: Blocks): number {
  const packed = Math.ceil((codes.length * book.bits) / 8);
  if (scales instanceof Float32Array) return packed + 4 * scales.length;
  return packed + scales.codes.length + 4 * scales.absmax.length + 4;
}

/** The scale of one group, a float32; 0 for one of zeros. */
export function blockScale(
  values: Data,
  { book, measure = "absmax", powerOfTwo = false, roundScale }: BlockOptions,
): number {
  const exact = Math.fround(measures[measure](values) / (measure === "absmax" ? book.top : 1));
  if (exact === 0) return exact;
  const scale = roundScale?.(exact) ?? exact;
  if (!powerOfTwo) return scale;
  const power = 2 ** Math.ceil(Math.log2(scale));
  // The logarithm may be rounded down to a whole number.
  return power < scale ? 2 * power : power;
}

/** What values are multiplied with to meet the book. */
export function inverseOf(scale: number): number {
  return Math.fround(1 / Math.max(scale, Math.fround(1e-38)));
}

const measures: Readonly<Record<Measure, (values: Data) => number>> = {
  absmax: (values) => {
    let top = 0;
    for (const value of values) top = Math.max(top, Math.abs(value));
    return top;
  },
  absmean: (values) => {
    let sum = 0;
    for (const value of values) sum += Math.abs(value);
    return values.length === 0 ? 0 : sum / values.length;
  },
  // The lower of two in the middle, as in PyTorch.
  median: (values) => {
    const sorted = Float64Array.from(values, Math.abs).sort();
    return sorted[(sorted.length - 1) >> 1] ?? 0;
  },
};
