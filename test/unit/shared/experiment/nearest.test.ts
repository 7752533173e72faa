/** @file Misspelt names and what was meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "../../../../src/shared/experiment/nearest.ts";

test("edit distance counts insertions, deletions, replacements and swaps", () => {
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("abc", "abc"), 0);
  assert.equal(editDistance("abc", "acb"), 1);
  assert.equal(editDistance("kitten", "sitting"), 3);
});

test("the nearest name is meant only where it is near", () => {
  const names = ["learning_rate", "batch_size", "method", "model"];
  assert.equal(nearest("learning_rat", names), "learning_rate");
  assert.equal(nearest("Batch_Size", names), "batch_size");
  assert.equal(nearest("metohd", names), "method");
  assert.equal(nearest("met", names), "method");
  assert.equal(nearest("colour", names), undefined);
  assert.equal(nearest("x".repeat(10_000), names), undefined);
});
