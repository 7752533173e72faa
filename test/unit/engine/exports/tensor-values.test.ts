/** @file Tensors as a checkpoint has them: orientation and type, in pieces that share memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inOurOrder, storedBytes } from "../../../../src/engine/exports/tensor-values.ts";
import { float32ToHalf } from "../../../../src/engine/weights/dtype-conversion.ts";

/** [700, 900]: more than two pieces, whose ends lie within rows. */
const shape = [700, 900] as const;
const values = Float32Array.from({ length: 700 * 900 }, (_, place) => Math.fround(place / 7));

/** W[row, column] at [column, row]. */
function transposedValue(place: number): number {
  const [rows, columns] = shape;
  return values[(place % rows) * columns + Math.floor(place / rows)] ?? Number.NaN;
}

describe("storedBytes", () => {
  const transposed = Float32Array.from(values, (_, place) => transposedValue(place));
  const halves = (from: Float32Array): Uint16Array => {
    const into = new Uint16Array(from.length);
    float32ToHalf("bfloat16", from, into);
    return into;
  };

  it("gives a float32 tensor as it lies", () => {
    assert.deepEqual(written({ shape }), values);
  });

  it("turns a transposed tensor round", () => {
    assert.deepEqual(written({ shape, transposed: true }), transposed);
  });

  it("rounds to a half type, in either orientation", () => {
    assert.deepEqual(writtenHalf({ shape }), halves(values));
    assert.deepEqual(writtenHalf({ shape, transposed: true }), halves(transposed));
  });

  it("is undone by inOurOrder", () => {
    assert.deepEqual(inOurOrder(transposed, { shape, transposed: true }), values);
    assert.equal(inOurOrder(values, { shape }), values);
  });
});

type Stored = Parameters<typeof storedBytes>[1];

function written(tensor: Stored): Float32Array {
  return new Float32Array(joined(storedBytes(values, tensor)));
}

function writtenHalf(tensor: Stored): Uint16Array {
  return new Uint16Array(joined(storedBytes(values, tensor, "bfloat16")));
}

/** Copies each piece before the next is asked for, as a file does. */
function joined(pieces: Iterable<Uint8Array>): ArrayBuffer {
  const bytes: number[][] = [];
  for (const piece of pieces) bytes.push([...piece]);
  return Uint8Array.from(bytes.flat()).buffer;
}
