/** @file Sweeps: which points and runs, in which order, with which labels. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExpandedSweep } from "../../../../src/shared/experiment/sweep.ts";
import { experimentAt, expandSweep } from "../../../../src/shared/experiment/sweep.ts";
import { complete, read, told } from "./read.ts";
import { smallCatalog } from "./small-catalog.ts";

function expand(text: string): ExpandedSweep {
  const result = read(complete(text));
  assert.deepEqual(told(result.findings.filter(({ severity }) => severity === "error")), []);
  const { value, findings } = expandSweep(result, smallCatalog);
  assert.deepEqual(told(findings), []);
  assert.ok(value !== undefined);
  return value;
}

function labels({ points }: ExpandedSweep): readonly string[] {
  return points.map(({ label }) => label);
}

describe("sweeps", () => {
  it("a file without one is its only point", () => {
    const { points, runs } = expand("train: { seed: 7 }");
    assert.deepEqual(
      runs.map(({ kind, label, seed }) => [kind, label, seed]),
      [["main", "base", 7]],
    );
    assert.equal(points.length, 1);
  });

  it("a grid is every combination, the last field fastest", () => {
    const sweep = expand(
      "sweep: { grid: { method.r: [1, 4], method.init: [default, pissa, { type: pissa, niter: 4 }] } }",
    );
    assert.deepEqual(labels(sweep), [
      "r=1 init=default",
      "r=1 init=pissa",
      "r=1 init={ type: pissa, niter: 4 }",
      "r=4 init=default",
      "r=4 init=pissa",
      "r=4 init={ type: pissa, niter: 4 }",
    ]);
    const [first] = sweep.points.at(-1)?.experiment.method ?? [];
    assert.equal(first?.config["r"], 4);
    assert.equal(first.init.config["niter"], 4);
    assert.equal(sweep.points[0]?.experiment.sweep, null);
  });

  it("paired lists go hand in hand, several of them are combined", () => {
    assert.deepEqual(
      labels(
        expand("sweep: { paired: { method.r: [1, 4], train.learning_rate: [1.0e-3, 1.0e-4] } }"),
      ),
      ["r=1 learning_rate=0.001", "r=4 learning_rate=1.0e-4"],
    );
    assert.deepEqual(
      labels(expand("sweep: { paired: [{ method.r: [1, 2] }, { train.batch_size: [8, 16] }] }")),
      ["r=1 batch_size=8", "r=1 batch_size=16", "r=2 batch_size=8", "r=2 batch_size=16"],
    );
  });

  it("controls come last, and are compared with the file itself where there is no grid", () => {
    const sweep = expand(
      "method: { type: lora, r: 4 }\nsweep: { controls: [{ method: full, train.seed: 3 }, { method.alpha: 8 }] }",
    );
    assert.deepEqual(labels(sweep), ["base", "method=full seed=3", "alpha=8"]);
    assert.deepEqual(
      sweep.points.map(({ control }) => control),
      [false, true, true],
    );
    assert.deepEqual(sweep.points[1]?.experiment.method[0]?.config, {});
    assert.equal(sweep.points[2]?.experiment.method[0]?.config["r"], 4);
  });

  it("expressions are computed at each point", () => {
    const { points } = expand(
      "method: { type: lora, alpha: 2r }\nsweep: { grid: { method.r: [1, 4] } }",
    );
    assert.deepEqual(
      points.map(({ experiment }) => experiment.method[0]?.config["alpha"]),
      [2, 8],
    );
  });

  it("labels take as much of a path as is needed", () => {
    const sweep = expand(
      "sweep: { grid: { data.shuffle: [true, false], train.seed: [1], eval.best.metric: [eval.loss], eval.early_stop.metric: [eval.loss] } }\ndata: { train: t.csv, eval: e.csv }",
    );
    assert.equal(
      labels(sweep)[0],
      "shuffle=true seed=1 best.metric=eval.loss early_stop.metric=eval.loss",
    );
  });

  it("runs go seed by seed, so that what is cut short still compares every point", () => {
    const { runs } = expand("sweep: { grid: { method.r: [1, 4] }, seeds: [5, 6] }");
    assert.deepEqual(
      runs.map(({ label, point, seed }) => [label, point, seed]),
      [
        ["r=1 seed=5", 0, 5],
        ["r=4 seed=5", 1, 5],
        ["r=1 seed=6", 0, 6],
        ["r=4 seed=6", 1, 6],
      ],
    );
  });

  it("tuning tries each point with a seed of its own, before all others", () => {
    const { points, runs } = expand(
      "sweep: { grid: { train.learning_rate: [1.0e-4, 3.0e-4] }, tune: { train.learning_rate: { times: [0.1, 3] }, train.batch_size: { values: [8, 16] } }, seeds: [1] }",
    );
    assert.deepEqual(points[1]?.candidates, [
      { "train.learning_rate": 3e-5, "train.batch_size": 8 },
      { "train.learning_rate": 3e-5, "train.batch_size": 16 },
      { "train.learning_rate": 9e-4, "train.batch_size": 8 },
      { "train.learning_rate": 9e-4, "train.batch_size": 16 },
    ]);
    assert.deepEqual(
      runs.map(({ kind, seed }) => `${kind} ${seed}`),
      [...Array<string>(8).fill("tune 100"), "main 1", "main 1"],
    );
    assert.equal(runs[0]?.label, "learning_rate=1.0e-4 tune learning_rate=1.0e-5 batch_size=8");
  });

  it("one run's experiment has its overrides and its seed", () => {
    const { document } = read(complete("sweep: { grid: { method.r: [1, 4] } }"));
    const { experiment, findings } = experimentAt(
      document,
      { "method.r": 4, "train.batch_size": 2 },
      9,
      smallCatalog,
    );
    assert.deepEqual(told(findings), []);
    assert.equal(experiment?.train.seed, 9);
    assert.equal(experiment.train.batch_size, 2);
    assert.equal(experiment.method[0]?.config["r"], 4);
    assert.equal(experiment.sweep, null);
  });

  it("has no runs where a point is wrong, and says where in the sweep", () => {
    const text = complete("sweep: { grid: { method.r: [1, -1] } }");
    const { value, findings } = expandSweep(read(text), smallCatalog);
    assert.equal(value, undefined);
    const [finding] = findings;
    assert.equal(finding?.code, "out-of-bounds");
    assert.equal(text.slice(finding.place.offset, finding.place.endOffset), "-1");
    assert.match(finding.message, /^At the point `r=-1`/);
  });

  it("refuses a large sweep before it makes its points", () => {
    const long = `[${Array.from({ length: 1000 }, (_, index) => index + 1).join(", ")}]`;
    const text = `sweep: { grid: { method.r: ${long}, train.batch_size: ${long}, train.max_steps: ${long} } }`;
    const { findings } = expandSweep(read(complete(text)), smallCatalog);
    assert.deepEqual(told(findings), ["sweep-too-large sweep"]);
  });

  it("match is read and left to whoever knows the runs", () => {
    const { experiment } = read(
      complete(
        "sweep: { match: { tokens: equal, trainable_parameters: { across: method.init, tolerance: 2% } } }",
      ),
    );
    assert.deepEqual(experiment?.sweep?.match, {
      tokens: "equal",
      steps: "free",
      trainable_parameters: { across: "method.init", tolerance: 0.02 },
    });
  });
});
