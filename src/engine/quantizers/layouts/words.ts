/** @file What layouts of 32-bit words share: bytes as words, arrays that are read by name, and matrices turned over. */
import { invariant } from "../../../shared/errors.ts";
import type { StoredArray } from "../packed.ts";

/** Little-endian words of bytes that are a whole number of them. */
export function wordsOf(data: ArrayBufferView<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return new Int32Array(bytes.buffer);
}

/** The bytes of words; RangeError where the array holds others. */
export function bytesOfWords({ data }: StoredArray, name: string): Uint8Array<ArrayBuffer> {
  if (!(data instanceof Int32Array)) throw new RangeError(`${name} holds no words.`);
  return new Uint8Array(data.slice().buffer);
}

/** An array of a module among those that were read. */
export function readOf(read: ReadonlyMap<string, StoredArray>, name: string): StoredArray {
  const found = read.get(name);
  invariant(found, `${name} was not read`);
  return found;
}

/** [rows, columns] to [columns, rows]. */
export function turned<
  T extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
>(from: T, rows: number, columns: number): T {
  const to = copyOf(from);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j] ?? 0;
  return to;
}

function copyOf<
  T extends Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
>(of: T): T;
function copyOf(
  of: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  return of.slice();
}
