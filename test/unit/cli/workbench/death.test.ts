/** @file Why a run is no more, by what is left of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Evidence } from "../../../../src/cli/workbench/death.ts";
import { deathOf } from "../../../../src/cli/workbench/death.ts";

const evidence: Evidence = {
  state: "crashed",
  view: {
    error: undefined,
    progress: undefined,
    peakMemoryBytes: 1e9,
    started: undefined,
    steps: [
      {
        step: 7,
        epoch: 0.1,
        loss: 1,
        lr: 1,
        tokens: 1,
        tokensPerSecond: 1,
        seconds: 1,
        memoryBytes: 1e9,
      },
    ],
  },
  config: { "method.type": "lora", "data.max_length": 512 },
  lastLines: ["step 7"],
  machineBytes: 16e9,
};

describe("a run's death", () => {
  it("is none of one that lives or ended well", () => {
    for (const state of ["created", "running", "stopping", "finished", "stopped"] as const)
      assert.equal(deathOf({ ...evidence, state }), undefined);
  });

  it("is told in the run's own words where it failed", () => {
    const error = { code: "x", message: "The loss is not a number.", remedy: "Lower the rate." };
    const death = deathOf({ ...evidence, state: "failed", view: { ...evidence.view, error } });
    assert.deepEqual(death, {
      kind: "failed",
      message: error.message,
      remedy: error.remedy,
      lastLines: ["step 7"],
    });
  });

  it("is one from outside where nothing else is known", () => {
    const death = deathOf(evidence);
    assert.equal(death?.kind, "killed");
    assert.match(death.message, /in the step after 7/);
  });

  it("is for memory where the last lines say so, with the part and what would fit", () => {
    const death = deathOf({ ...evidence, lastLines: ["terminate: std::bad_alloc"] });
    assert.equal(death?.kind, "out-of-memory");
    assert.match(death.message, /activations, gradients/);
    assert.match(death.remedy ?? "", /micro_batch_size: 1.*quantization: nf4.*than 512/);
  });

  it("is for memory where the process held most of the machine's", () => {
    const view = { ...evidence.view, peakMemoryBytes: 15e9 };
    assert.equal(deathOf({ ...evidence, view })?.kind, "out-of-memory");
    // What another machine has is not known here.
    assert.equal(deathOf({ ...evidence, view, machineBytes: undefined })?.kind, "killed");
  });

  it("advises nothing that the experiment does already", () => {
    const config = {
      "method.type": "lora",
      "train.micro_batch_size": 1,
      "train.gradient_checkpointing": true,
      "quantization.type": "nf4",
      "data.max_length": 64,
    };
    const death = deathOf({ ...evidence, config, lastLines: ["out of memory"] });
    assert.doesNotMatch(death?.remedy ?? "", /`/);
  });
});
