/** @file Metrics of hand-made examples: token means, answers of completions, what has no meaning. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExampleResult } from "../../../../src/engine/metrics/example-result.ts";
import {
  checkMetrics,
  measure,
  metricTable,
  neededBy,
} from "../../../../src/engine/metrics/table.ts";
import { createLastGroup } from "../../../../src/engine/session/python-regex.ts";

const tools = { lastGroup: createLastGroup(60_000) };
const plain = (...names: readonly string[]) => names.map((type) => ({ type, config: {} }));

describe("loss, perplexity and accuracy", () => {
  it("count every target the same, however the examples are cut", () => {
    const results: readonly ExampleResult[] = [
      { index: 4, targets: { count: 1, loss: 3, hits: 0 } },
      { index: 7, targets: { count: 3, loss: 1, hits: 2 } },
    ];
    const { metrics, results: scored } = measure(
      results,
      plain("loss", "perplexity", "accuracy"),
      tools,
    );
    assert.deepEqual(metrics, { loss: 1, perplexity: Math.E, accuracy: 0.5 });
    assert.deepEqual(
      scored.map(({ index, scores }) => [index, scores?.["loss"], scores?.["accuracy"]]),
      [
        [4, 3, 0],
        [7, 1 / 3, 2 / 3],
      ],
    );
  });

  it("are not defined without examples", () => {
    assert.ok(Number.isNaN(measure([], plain("loss"), tools).metrics["loss"]));
    const onlyText = [{ index: 0, completion: { generated: "a", expected: "a" } }];
    assert.ok(Number.isNaN(measure(onlyText, plain("loss"), tools).metrics["loss"]));
  });
});

describe("f1", () => {
  it("of a class that is neither true nor predicted is 0, not a division by zero", () => {
    const results = [{ index: 0, label: { truth: 0, prediction: 0 } }];
    const { metrics } = measure(results, [{ type: "f1", config: { average: "binary" } }], tools);
    assert.equal(metrics["f1"], 0);
  });
});

describe("exact_match", () => {
  const config = { max_new_tokens: 64, answer: null, ignore_case: false };
  const match = (pairs: readonly (readonly [string, string])[], changed: object = {}) =>
    measure(
      pairs.map(([generated, expected], index) => ({ index, completion: { generated, expected } })),
      [{ type: "exact_match", config: { ...config, ...changed } }],
      tools,
    );

  it("compares whole texts without the white space around them", () => {
    const { metrics, results } = match([
      [" yes\n", "yes"],
      ["Yes", "yes"],
      ["yes it is", "yes"],
    ]);
    assert.equal(metrics["exact_match"], 1 / 3);
    assert.deepEqual(
      results.map(({ scores }) => scores),
      [{ exact_match: 1 }, { exact_match: 0 }, { exact_match: 0 }],
    );
  });

  it("compares the last answer that the expression finds, in both texts", () => {
    const answer = "#### (-?[0-9.,]+)";
    const { metrics, findings } = match(
      [
        ["first #### 1, no: #### 42", "because\n#### 42"],
        ["#### 41", "#### 42"],
        ["42", "#### 42"],
        ["#### 42", "42"],
        ["nothing", "nothing"],
      ],
      { answer },
    );
    assert.equal(metrics["exact_match"], 1 / 5);
    assert.deepEqual(
      findings.map(({ code, message }) => [code, /\d+ of \d+/.exec(message)?.[0]]),
      [["reference-without-answer", "2 of 5"]],
    );
  });

  it("may overlook letter case, ß and SS included", () => {
    const { metrics } = match(
      [
        ["STRASSE", "straße"],
        ["Yes", "yes"],
        ["no", "yes"],
      ],
      { ignore_case: true },
    );
    assert.equal(metrics["exact_match"], 2 / 3);
  });
});

describe("the table", () => {
  it("says what a pass over the data must make", () => {
    assert.deepEqual([...neededBy(plain("loss", "accuracy"))], ["targets"]);
    assert.deepEqual(
      [...neededBy(plain("perplexity", "exact_match", "f1"))],
      ["targets", "completion", "label"],
    );
  });

  it("measures a metric that is asked for twice once", () => {
    const results = [{ index: 0, label: { truth: 1, prediction: 1 } }];
    const twice = ["binary", "macro"].map((average) => ({ type: "f1", config: { average } }));
    assert.deepEqual(measure(results, twice, tools).metrics, { f1: 1 });
  });

  it("names metrics without meaning for what is predicted", () => {
    const all = Object.keys(metricTable).map((type) => ({
      type,
      config: { average: "binary", max_new_tokens: 1, answer: null, ignore_case: false },
    }));
    const refused = (predicted: Parameters<typeof checkMetrics>[1]) =>
      checkMetrics(all, predicted).map(({ message }) => /`(\w+)`/.exec(message)?.[1]);
    assert.deepEqual(refused({ classes: 2 }), ["pearson", "spearman", "exact_match"]);
    assert.deepEqual(refused({ classes: 3 }), ["f1", "pearson", "spearman", "exact_match"]);
    assert.deepEqual(refused({ number: true }), [
      "perplexity",
      "accuracy",
      "f1",
      "matthews",
      "exact_match",
    ]);
    assert.deepEqual(refused({ tokens: true }), ["f1", "matthews", "pearson", "spearman"]);
  });
});
