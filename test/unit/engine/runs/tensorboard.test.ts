/** @file Which events TensorBoard shows, and under which names. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { scalarsOf } from "../../../../src/engine/runs/tensorboard.ts";

const step = {
  type: "step",
  step: 3,
  epoch: 0.5,
  loss: 2,
  lr: 0.1,
  tokens: 10,
  tokensPerSecond: 5,
  seconds: 2,
  memoryBytes: 7,
} as const;

it("shows steps and evaluations, each metric under its split", () => {
  const shown = {
    "train/loss": 2,
    "train/learning_rate": 0.1,
    "train/epoch": 0.5,
    "speed/tokens_per_second": 5,
    "memory/resident_bytes": 7,
  };
  assert.deepEqual(scalarsOf(step), { step: 3, values: shown });
  assert.deepEqual(scalarsOf({ ...step, gradNorm: 4, metrics: { orthogonality: 6 } })?.values, {
    ...shown,
    "train/grad_norm": 4,
    "train/orthogonality": 6,
  });
  const metrics = { loss: 1, accuracy: 0.5 };
  const about = { moment: "during", step: 4, epoch: 1, examples: 1, seconds: 1 } as const;
  assert.deepEqual(scalarsOf({ type: "eval", split: "test", metrics, ...about }), {
    step: 4,
    values: { "test/loss": 1, "test/accuracy": 0.5 },
  });
  assert.equal(scalarsOf({ type: "log", level: "info", message: "" }), undefined);
});
