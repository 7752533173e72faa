/** @file Packed rows hold every example once and are nearly full. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { packRows, singleRows, type Rows } from "../../../../../src/engine/data/batches/packing.ts";
import { randomLengths } from "./random.ts";

const members = (rows: Rows): readonly (readonly number[])[] =>
  Array.from({ length: rows.count }, (_, row) => [
    ...rows.members.subarray(rows.starts[row], rows.starts[row + 1]),
  ]);

test("the longest first, each into the fullest row with room", () => {
  const lengths = [3, 9, 4, 1, 6, 7];
  const rows = packRows(Uint32Array.of(0, 1, 2, 3, 4, 5), (example) => lengths[example] ?? 0, 10);
  assert.deepEqual(members(rows), [
    [1, 3],
    [5, 0],
    [4, 2],
  ]);
});

test("every example once, no row too long, few rows", () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const most = 3 + seed * 40;
    const lengths = randomLengths(300, most, seed);
    const subset = Uint32Array.from({ length: 250 }, (_, index) => index + 50);
    const rows = packRows(subset, (example) => lengths[example] ?? 0, most);
    const packed = members(rows);
    assert.deepEqual(
      packed.flat().toSorted((a, b) => a - b),
      [...subset],
    );
    const sums = packed.map((row) =>
      row.reduce((sum, example) => sum + (lengths[example] ?? 0), 0),
    );
    assert.ok(sums.every((sum) => sum <= most));
    const total = sums.reduce((sum, each) => sum + each, 0);
    // Best fit decreasing needs at most 11/9 of the fewest rows possible, and one more.
    assert.ok(rows.count <= Math.ceil((11 / 9) * Math.ceil(total / most)) + 1);
  }
});

test("without packing, a row is an example", () => {
  assert.deepEqual(members(singleRows(Uint32Array.of(5, 2))), [[5], [2]]);
});
