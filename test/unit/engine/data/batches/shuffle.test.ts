/** @file Orders are permutations, depend on seed, epoch and purpose, and favour nobody. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shuffled } from "../../../../../src/engine/data/batches/shuffle.ts";

const key = { seed: 7, epoch: 0, purpose: "examples" } as const;

test("every number comes once", () => {
  for (const count of [0, 1, 2, 1000])
    assert.deepEqual(
      [...shuffled(count, key)].toSorted((a, b) => a - b),
      Array.from({ length: count }, (_, index) => index),
    );
});

test("the same key gives the same order, on any machine", () => {
  assert.deepEqual([...shuffled(8, key)], [...shuffled(8, key)]);
  assert.deepEqual([...shuffled(8, { ...key, seed: 0 })], pinned);
});

test("seed, epoch and purpose each change the order", () => {
  const orders = [
    key,
    { ...key, seed: 8 },
    { ...key, seed: 7 + 2 ** 32 },
    { ...key, epoch: 1 },
    { ...key, purpose: "split" as const },
  ].map((each) => shuffled(50, each).join());
  assert.equal(new Set(orders).size, orders.length);
});

test("each number is as often in each place", () => {
  const counts = Array.from({ length: 5 }, () => [0, 0, 0, 0, 0]);
  for (let epoch = 0; epoch < 5000; epoch += 1)
    shuffled(5, { ...key, epoch }).forEach((number, place) => {
      const row = counts[number];
      if (row !== undefined) row[place] = (row[place] ?? 0) + 1;
    });
  // 1000 expected; five standard deviations are 141.
  for (const count of counts.flat()) assert.ok(Math.abs(count - 1000) < 141, String(count));
});

/** Pinned: runs recorded with an order must find it again. */
const pinned = [1, 5, 0, 6, 3, 4, 7, 2];
