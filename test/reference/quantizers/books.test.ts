/** @file Code books against PyTorch's float8 and the maps of bitsandbytes (`make_books.py` beside this file). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  dynamic8,
  e4m3,
  e5m2,
  fp4,
  nf4,
} from "../../../src/engine/quantizers/blocks/code-books.ts";

const file = join(import.meta.dirname, "fixtures/books.json");
const fixture: unknown = JSON.parse(readFileSync(file, "utf8"));

describe("code books", () => {
  for (const book of [e4m3, e5m2]) {
    it(`${book.name} has PyTorch's values by code and its rounding`, () => {
      const wanted = floats(book.name, "values");
      assert.equal(book.values.length, 256);
      for (const [code, value] of book.values.entries())
        // The zero with a sign is no code of its own here.
        if (code !== 128) assert.equal(value, wanted[code], `code ${code}`);
      const rounded = floats(book.name, "rounded");
      const numbers = floats(book.name, "numbers");
      assert.ok(numbers.length > 400);
      for (const [i, y] of numbers.entries())
        assert.equal((book.values[book.nearest(y)] ?? NaN) + 0, (rounded[i] ?? NaN) + 0, `of ${y}`);
    });
  }
  for (const book of [dynamic8, nf4, fp4])
    it(`${book.name} has the values of bitsandbytes`, () => {
      const plain = (values: Float32Array) => [...values].map((value) => value + 0);
      assert.deepEqual(plain(book.values), plain(floats(book.name)));
    });
});

/** The floats at a path of the fixture. */
function floats(...path: readonly string[]): Float32Array {
  let at = fixture;
  for (const name of path) {
    assert.ok(typeof at === "object" && at !== null);
    at = new Map(Object.entries(at)).get(name);
  }
  assert.ok(typeof at === "string");
  return new Float32Array(Uint8Array.from(Buffer.from(at, "hex")).buffer);
}
