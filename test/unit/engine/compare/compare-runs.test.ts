/** @file Runs side by side: groups over seeds, labels, intervals by their basis, and what is not comparable. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareRuns } from "../../../../src/engine/compare/compare-runs.ts";
import { meanOfSeeds, pairedDifference } from "../../../../src/engine/statistics/over-seeds.ts";
import { wilsonInterval } from "../../../../src/engine/statistics/wilson.ts";
import type { Json } from "../../../../src/shared/schema.ts";
import { facts } from "./facts.ts";

const labelsOf = (...configs: readonly Readonly<Record<string, Json>>[]) =>
  compareRuns(
    configs.map((config, index) => facts({ id: `run-${index}`, config })),
    0.95,
  ).groups.map(({ label }) => label);

describe("groups", () => {
  it("hold the runs that differ only in the seed and in where they ran", () => {
    const runs = [
      facts({ seed: 1 }),
      facts({ seed: 0, config: { run: { device: "cuda" }, export: ["merged"] } }),
      facts({ id: "other", seed: 0, config: { method: { type: "lora", r: 4, alpha: 16 } } }),
    ];
    const { groups, config } = compareRuns(runs, 0.95);
    assert.deepEqual(
      groups.map(({ label, runs: own }) => [label, own.map(({ seed }) => seed)]),
      [
        ["r=8", [0, 1]],
        ["r=4", [0]],
      ],
    );
    assert.deepEqual(config, [{ field: "method.r", values: [8, 4] }]);
  });

  it("are labelled by what differs, a method's own fields only where they do", () => {
    assert.deepEqual(
      labelsOf(
        { method: { type: "lora", r: 8, alpha: 16 } },
        { method: { type: "full" } },
        { method: { type: "lora", r: 4, alpha: 16 } },
      ),
      ["method=lora r=8", "method=full", "method=lora r=4"],
    );
    assert.deepEqual(
      labelsOf(
        { train: { learning_rate: 0.001, optimizer: { type: "adamw" }, seed: 0 } },
        { train: { learning_rate: 0.002, optimizer: { type: "sgd" }, seed: 0 } },
      ),
      ["learning_rate=0.001 optimizer=adamw", "learning_rate=0.002 optimizer=sgd"],
    );
  });

  it("tell a section that is off beside one that is on by its type, in labels and in what differs", () => {
    const configs = [{ quantization: null }, { quantization: { type: "nf4", block_size: 64 } }];
    assert.deepEqual(labelsOf(...configs), ["quantization=null", "quantization=nf4"]);
    assert.deepEqual(labelsOf(...configs.toReversed()), ["quantization=nf4", "quantization=null"]);
    const { config } = compareRuns(
      configs.map((own, index) => facts({ id: `run-${index}`, config: own })),
      0.95,
    );
    assert.deepEqual(config, [
      { field: "quantization.type", values: [null, "nf4"] },
      { field: "quantization.block_size", values: [undefined, 64] },
    ]);
  });

  it("keep labels apart where the short names of two fields are the same, or nothing but a field's presence differs", () => {
    assert.deepEqual(labelsOf({ a: { r: 1 }, b: { r: 1 } }, { a: { r: 2 }, b: { r: 2 } }), [
      "a.r=1 b.r=1",
      "a.r=2 b.r=2",
    ]);
    assert.deepEqual(labelsOf({ a: { r: 1 } }, { a: {} }), ["r=1", "a={}"]);
    assert.deepEqual(labelsOf({}), ["all"]);
  });

  it("have short labels: of long values what parts them, of many fields the fewest", () => {
    const home = "/projects/adapters/data";
    assert.deepEqual(
      labelsOf(
        { data: { train: `${home}/easy/train.jsonl` } },
        { data: { train: `${home}/hard/train.jsonl` } },
      ),
      ["train=…easy/train.jsonl", "train=…hard/train.jsonl"],
    );
    const many = (seed: number, method: string): Readonly<Record<string, Json>> => ({
      method: { type: method },
      model: { id: `${home}/${"deep/".repeat(20)}base-${method}` },
      data: { train: `${home}/${seed}.jsonl`, test: `${home}/${seed}.test.jsonl`, seed },
    });
    assert.deepEqual(labelsOf(many(1, "lora"), many(2, "lora"), many(1, "full"), many(2, "full")), [
      "method=lora train=…1.jsonl",
      "method=lora train=…2.jsonl",
      "method=full train=…1.jsonl",
      "method=full train=…2.jsonl",
    ]);
    // Values that are equal where they would be cut are told whole.
    const [a, b] = ["a", "b"].map((end) => `q${"x".repeat(30)}${end}`);
    assert.deepEqual(labelsOf({ t: a ?? "" }, { t: b ?? "" }), [`t=${a}`, `t=${b}`]);
    // What has room stays: every field in which groups differ.
    assert.deepEqual(labelsOf({ a: 1, b: "x" }, { a: 2, b: "y" }), ["a=1 b=x", "a=2 b=y"]);
  });

  it("count finished runs, and of one seed the newest", () => {
    const runs = [
      facts({ id: "a", seed: 0, metrics: { "test.loss": 5 } }),
      facts({ id: "b", seed: 0, metrics: { "test.loss": 3 } }),
      facts({ id: "c", seed: 1, metrics: { "test.loss": 9 }, state: "crashed" }),
    ];
    const { groups, findings } = compareRuns(runs, 0.95);
    assert.deepEqual(groups[0]?.metrics, { "test.loss": { mean: 3, runs: 1 } });
    assert.equal(groups[0].runs.length, 3);
    assert.deepEqual(findings.map(({ code }) => code).toSorted(), [
      "run-not-finished",
      "seed-twice",
    ]);
  });
});

describe("intervals", () => {
  const values = [0.8, 0.9, 0.85];
  const accuracy = (list: readonly number[], config: Readonly<Record<string, Json>> = {}) =>
    list.map((value, seed) =>
      facts({
        id: `${JSON.stringify(config)}-${seed}`,
        seed,
        config,
        metrics: { "test.accuracy": value },
        shares: { "test.accuracy": { successes: Math.round(value * 20), trials: 20 } },
      }),
    );
  const other = { method: { type: "lora", r: 4, alpha: 16 } };

  it("are over seeds where there are several, else over the test set", () => {
    const several = compareRuns(accuracy(values), 0.9).groups[0]?.metrics["test.accuracy"];
    const expected = meanOfSeeds(values, 0.9);
    assert.deepEqual(several?.interval, { ...expected.interval, over: "seeds" });
    const one = compareRuns(accuracy([0.8]), 0.9).groups[0]?.metrics["test.accuracy"];
    assert.deepEqual(one?.interval, { ...wilsonInterval(16, 20, 0.9), over: "examples" });
  });

  it("of differences are paired by seed", () => {
    const better = [0.9, 0.97, 0.96];
    const { groups } = compareRuns([...accuracy(values), ...accuracy(better, other)], 0.95);
    const bySeed = (list: readonly number[]) => new Map(list.map((value, seed) => [seed, value]));
    const expected = pairedDifference(bySeed(better), bySeed(values), 0.95);
    const told = groups[1]?.differences["test.accuracy"];
    assert.deepEqual(
      [told?.mean, told?.pValue, told?.interval],
      [expected?.mean, expected?.pValue, { ...expected?.interval, over: "seeds" }],
    );
    assert.deepEqual(groups[0]?.differences, {});
    const apart = accuracy([0.5], other).map((run) => ({ ...run, seed: 7 }));
    assert.deepEqual(compareRuns([...accuracy(values), ...apart], 0.95).groups[1]?.differences, {});
  });

  it("of one pair are over the examples that both were tested on", () => {
    const scored = (scores: readonly number[], config: Readonly<Record<string, Json>>) =>
      facts({
        id: JSON.stringify(config),
        config,
        metrics: {
          "test.exact_match": scores.reduce((sum, value) => sum + value, 0) / scores.length,
        },
        scores: { "test.exact_match": new Map(scores.map((score, index) => [index, score])) },
      });
    const first = scored([1, 0, 1, 0, 1, 0, 1, 0], {});
    const second = scored([1, 1, 1, 1, 1, 1, 1, 0], other);
    const told = compareRuns([first, second], 0.95).groups[1]?.differences["test.exact_match"];
    assert.equal(told?.mean, 3 / 8);
    assert.equal(told.interval?.over, "examples");
    assert.ok(told.interval.low >= 0 && told.interval.low < 3 / 8 && told.interval.high > 3 / 8);
    const fewer = scored([1, 1, 1, 1], other);
    assert.equal(
      compareRuns([first, fewer], 0.95).groups[1]?.differences["test.exact_match"]?.interval,
      undefined,
    );
  });
});

describe("unequal budgets", () => {
  const against = (changes: Parameters<typeof facts>[0] = {}) =>
    compareRuns(
      [
        facts(),
        facts({
          ...changes,
          id: "other",
          config: { method: { type: "lora", r: 4, alpha: 16 } },
        }),
      ],
      0.95,
    ).findings;

  it("are named, each kind by itself", () => {
    const cases = {
      tokens: "unequal-tokens",
      steps: "unequal-steps",
      trainableParameters: "unequal-parameters",
    } as const;
    assert.deepEqual(against(), []);
    for (const [name, code] of Object.entries(cases)) {
      const findings = against({ budget: { [name]: 3000 } });
      assert.deepEqual(
        findings.map((finding) => finding.code),
        [code],
      );
      assert.match(findings[0]?.message ?? "", /`r=4` 3,000 \(.* times as many\)/);
    }
    assert.deepEqual(against({ budget: { tokens: 1001 } }), []);
  });

  it("of tuning are named where one was tuned and the other not, or it is not known", () => {
    const tuned = (first: number | undefined, second: number | undefined) =>
      compareRuns(
        [
          facts({ budget: { tuningRuns: first } }),
          facts({
            id: "other",
            budget: { tuningRuns: second },
            config: { method: { type: "lora", r: 4, alpha: 16 } },
          }),
        ],
        0.95,
      ).findings.map(({ message }) => message);
    assert.deepEqual(tuned(undefined, undefined), []);
    assert.deepEqual(tuned(3, 3), []);
    assert.deepEqual(tuned(0, 3), ["Runs spent on tuning are not equal: `r=8` 0, `r=4` 3."]);
    assert.deepEqual(tuned(3, undefined), ["Runs spent on tuning of `r=4` are not known."]);
  });

  it("stand beside other data, which make scores incomparable", () => {
    const both = compareRuns(
      [
        facts({ config: { data: { test: "/a" } } }),
        facts({ id: "b", config: { data: { test: "/b" } } }),
      ],
      0.95,
    );
    assert.deepEqual(
      both.findings.map(({ code }) => code),
      ["other-data"],
    );
  });
});
