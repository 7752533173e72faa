/** @file NF4 weights expanded on a device with memory of its own, where they crossed packed, once. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { nf4CodeBook } from "../../../kernels/nf4/index.ts";
import type { Graph } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { cast, constant, div, gather, mul, pad, reshape, slice, sub } from "../core/ops.ts";

/** Codes of a word of 32 bits, little-endian, two a byte with the first in the high half. */
const shifts = [1, 0, 3, 2, 5, 4, 7, 6] as const;

/** Words of 32 bits that hold the codes of so many weights. */
export function codeWords(count: number): number {
  return Math.ceil(count / shifts.length);
}

/**
 * W[i] = book[code i] · absmax[⌊i / blockSize⌋] as a program: `codes` uint32 [⌈n/8⌉, 1], `absmax` float32
 * [⌈n/blockSize⌉, 1], `weight` float32 of `shape` with n elements. The same products as on the host: the same bits.
 */
export function nf4Decoding(shape: Shape, blockSize: number): Graph {
  const count = elementCount(shape);
  const words = codeWords(count);
  const blocks = Math.ceil(count / blockSize);
  const g = newGraph();
  const codes = g.input("codes", "uint32", [words, 1]);
  const divisors = constant(
    g,
    "uint32",
    [1, shifts.length],
    Int32Array.from(shifts, (shift) => 16 ** shift),
  );
  const sixteen = constant(g, "uint32", [1, 1], Int32Array.of(16));
  // No device shifts bits: whole quotients do.
  const shifted = div(g, codes, divisors);
  const places = sub(g, shifted, mul(g, div(g, shifted, sixteen), sixteen));
  const book = constant(g, "float32", [nf4CodeBook.length], Float32Array.from(nf4CodeBook));
  const flat = reshape(g, gather(g, book, cast(g, places, "int32")), [words * shifts.length]);
  const whole = pad(g, slice(g, flat, 0, 0, count), 0, 0, blocks * blockSize - count);
  const scaled = mul(
    g,
    reshape(g, whole, [blocks, blockSize]),
    g.input("absmax", "float32", [blocks, 1]),
  );
  const values = slice(g, reshape(g, scaled, [blocks * blockSize]), 0, 0, count);
  g.output("weight", reshape(g, values, shape));
  return g;
}
