/** @file How many examples are in memory at a time where the experiment leaves it open. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { catalogFields } from "../../../../src/engine/catalog.ts";
import { planTraining } from "../../../../src/engine/plan/training-plan.ts";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";
import { numberedExamples } from "../data/batches/random.ts";

const length = 1024;
const examples = numberedExamples(Array.from({ length: 40 }, () => length));

function microBatchSize(train: object): number {
  const text = JSON.stringify({
    version: 1,
    model: "m",
    data: { train: "d" },
    method: "full",
    train,
  });
  const { experiment, findings } = readExperiment({ file: "a", text, catalog: catalogFields });
  assert(experiment, JSON.stringify(findings));
  const planned = planTraining(experiment, examples, { maxLength: length, longest: length });
  assert(planned.batches.step(0).every(({ rows }) => rows.length === planned.microBatchSize));
  return planned.microBatchSize;
}

it("takes 4096 tokens at a time, and no more examples than a step has", () => {
  assert.equal(microBatchSize({ batch_size: 16 }), 4);
  assert.equal(microBatchSize({ batch_size: 2 }), 2);
  assert.equal(microBatchSize({ batch_size: 16, micro_batch_size: 8 }), 8);
});

it("takes a whole step where the optimizer uses up gradients in the backward pass", () => {
  assert.equal(microBatchSize({ batch_size: 16, optimizer: "lomo" }), 16);
});
