/** @file Runs are told apart by what differs between their experiments. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunHead } from "../../../src/shared/run-head.ts";
import { runLabels } from "../../../src/shared/run-labels.ts";
import type { Json } from "../../../src/shared/schema.ts";

function head(folder: string, name: string, config: Readonly<Record<string, Json>>): RunHead {
  return {
    folder,
    id: folder,
    name,
    config,
    state: "finished",
    attempt: 1,
    step: 1,
    metrics: {},
    has: [],
  };
}

describe("labels", () => {
  it("name the fields that differ, seeds last, and no others", () => {
    const labels = runLabels([
      head("a", "lora", { "method.r": 4, "train.seed": 0, "data.train": "x", "run.threads": 1 }),
      head("b", "lora", { "method.r": 8, "train.seed": 1, "data.train": "x", "run.threads": 2 }),
      head("c", "full", { "method.r": 9 }),
    ]);
    assert.deepEqual([...labels.values()], ["r=4 seed=0", "r=8 seed=1", ""]);
  });
});
