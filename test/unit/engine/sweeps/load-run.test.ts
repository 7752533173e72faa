/** @file The facts of a run, from a folder as a run leaves it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { finalMetrics } from "../../../../src/engine/compare/final-metrics.ts";
import { loadRunFacts } from "../../../../src/engine/sweeps/load-run.ts";
import { resultsPath, writeResults } from "../../../../src/engine/metrics/results-file.ts";
import { foldRun } from "../../../../src/shared/run-view.ts";
import type { EventBody } from "../../../../src/shared/protocol.ts";
import { UserError } from "../../../../src/shared/errors.ts";
import { smallCatalog } from "../../shared/experiment/small-catalog.ts";
import { scratch } from "../runs/scratch.ts";
import { writeRun } from "./pretend-engine.ts";

const experiment = `version: 1
model: ./model
task: sequence-classification
data: { train: ./train.jsonl, test: ./test.jsonl }
method: lora
train: { seed: 3 }
`;

const evaluation = (
  split: "eval" | "test" | "general",
  moment: "before" | "during" | "after",
  step: number,
  metrics: Readonly<Record<string, number>>,
  results?: string,
): EventBody => ({
  type: "eval",
  split,
  moment,
  step,
  epoch: 1,
  metrics,
  examples: 4,
  seconds: 1,
  ...(results === undefined ? {} : { results }),
});

describe("loadRunFacts", () => {
  it("gathers configuration, metrics, counts, scores and costs", async (t) => {
    const folder = join(scratch(t), "run");
    const results = resultsPath({ split: "test", moment: "after" });
    await writeRun(folder, experiment, [
      evaluation("general", "before", 0, { loss: 2 }),
      evaluation("eval", "during", 2, { loss: 0.7 }),
      evaluation("general", "after", 2, { loss: 2.5 }),
      evaluation("test", "after", 2, { loss: 0.6, accuracy: 0.75 }, results),
    ]);
    await writeResults(
      join(folder, results),
      [0, 1, 1, 1].map((accuracy, index) => ({ index, scores: { accuracy, loss: 1 } })),
    );
    const facts = await loadRunFacts(folder, smallCatalog, 0, 2);
    assert.equal(facts.seed, 3);
    assert.equal(facts.state, "finished");
    assert.deepEqual(facts.metrics, {
      "eval.loss": 0.7,
      "test.loss": 0.6,
      "test.accuracy": 0.75,
      forgetting: 0.5,
    });
    assert.deepEqual(facts.shares, { "test.accuracy": { successes: 3, trials: 4 } });
    assert.deepEqual(
      [...(facts.scores["test.accuracy"] ?? [])],
      [
        [0, 0],
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    );
    assert.deepEqual(facts.budget, {
      tokens: 20,
      steps: 2,
      trainableParameters: 12,
      tuningRuns: 2,
    });
    assert.equal(facts.cost.peakMemoryBytes, 500);
  });

  it("names a folder that is no run", async (t) => {
    await assert.rejects(
      loadRunFacts(scratch(t), smallCatalog, 0, undefined),
      (error) => error instanceof UserError && error.code === "unreadable-run",
    );
  });
});

describe("finalMetrics", () => {
  const at = (step: number, loss: number) =>
    ({ ...evaluation("eval", "during", step, { loss }), attempt: 1, time: 0 }) as const;
  const checkpoint = {
    type: "checkpoint",
    step: 2,
    folder: "c",
    bytes: 1,
    seconds: 1,
    reason: "schedule",
    best: true,
    attempt: 1,
    time: 0,
  } as const;

  it("are those of the weights that the run ends with", () => {
    const view = foldRun([at(1, 3), at(2, 1), checkpoint, at(3, 2)]);
    assert.deepEqual(finalMetrics(view, false), { "eval.loss": 2 });
    assert.deepEqual(finalMetrics(view, true), { "eval.loss": 1 });
  });
});
