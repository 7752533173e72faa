/** @file Examples set aside, and files that serve two ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkDistinctFiles,
  splitExamples,
} from "../../../../../src/engine/data/batches/splits.ts";
import { userError } from "../files.ts";

test("the parts are disjoint, complete, in order, and of the size asked for", () => {
  for (const [count, share, wanted] of [
    [100, 0.05, 5],
    [101, 0.05, 6],
    [10, 0.001, 1],
    [3, 0.99, 2],
    [20, 0.15, 3],
  ] as const) {
    const { train, eval: aside } = splitExamples(count, share, 7);
    assert.equal(aside.length, wanted);
    assert.deepEqual(
      [...train, ...aside].toSorted((a, b) => a - b),
      Array.from({ length: count }, (_, index) => index),
    );
    assert.deepEqual(
      [...train],
      [...train].toSorted((a, b) => a - b),
    );
  }
});

test("a seed always gives the same part, another seed another", () => {
  assert.deepEqual(splitExamples(50, 0.2, 7), splitExamples(50, 0.2, 7));
  assert.notDeepEqual(splitExamples(50, 0.2, 7).eval, splitExamples(50, 0.2, 8).eval);
  assert.throws(
    () => splitExamples(1, 0.5, 0),
    userError("too-few-examples", undefined, /single example/),
  );
});

test("a file that serves two ends is warned of", () => {
  assert.deepEqual(checkDistinctFiles({ train: "a", eval: "b", test: "c" }), []);
  const found = checkDistinctFiles({ train: "a", eval: "a", test: "a" });
  assert.deepEqual(
    found.map((finding) => [finding.severity, finding.place?.field]),
    [
      ["warning", "data.eval"],
      ["warning", "data.test"],
      ["warning", "data.test"],
    ],
  );
});
