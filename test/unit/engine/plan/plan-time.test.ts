/** @file The work of a run, against the formula of the benchmark, and the time that it is said to take. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lora } from "../../../../src/engine/methods/lora.ts";
import type { Model } from "../../../../src/engine/models/architecture.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import { estimateSeconds, runWork } from "../../../../src/engine/plan/plan-time.ts";
import type { WorkInputs } from "../../../../src/engine/plan/plan-time.ts";
import type { BlockSetup, SiteMethod } from "../../../../src/engine/programs/setup.ts";
import { llama } from "../models/configs.ts";

const { value } = readModel(llama, "config.json", "causal-lm");
assert(value);
const model: Model = value;

/** LoRA of rank 2 at every linear site of the layers. */
function setups(whole: boolean): readonly BlockSetup[] {
  const method = lora.bind({ r: 2, alpha: 4, use_rslora: false });
  return model.blocks.map((spec) => ({
    spec,
    storage: new Map(),
    trained: new Set(whole ? spec.tensors.map(({ name }) => name) : []),
    sites: new Map<string, SiteMethod>(
      whole || spec.kind !== "layer"
        ? []
        : spec.linears.map((linear) => [
            linear.name,
            { method, params: method.params(linear), dropout: 0 },
          ]),
    ),
  }));
}

const inputs: WorkInputs = {
  model,
  setups: setups(false),
  checkpointing: false,
  tokens: 100,
  length: 10,
  targetShare: 1,
  measuredTokens: 0,
};

const linears = model.blocks.flatMap((spec) => spec.linears);
const frozen = linears.reduce((sum, linear) => sum + linear.in * linear.out, 0);
const { heads, headDim, layers } = model.sizes;
const attention = 12 * heads * headDim * 10 * layers * 100;

describe("the work of a run", () => {
  it("of LoRA is that of the benchmark's formula", () => {
    const sites = model.blocks
      .filter(({ kind }) => kind === "layer")
      .flatMap((spec) => spec.linears);
    const factors = sites.reduce((sum, linear) => sum + 2 * (linear.in + linear.out), 0);
    assert.equal(runWork(inputs), 100 * (4 * frozen + 6 * factors) + attention);
  });

  it("of full fine-tuning has a third product for each weight", () => {
    assert.equal(runWork({ ...inputs, setups: setups(true) }), 100 * 6 * frozen + attention);
  });

  it("counts what is computed again, what is measured, and that the head reads only rows with a loss", () => {
    const head = linears.find(({ name }) => name === "lm_head");
    assert(head);
    const [ofHead, ofLayers] = [head.in * head.out, frozen - head.in * head.out];
    const base = runWork(inputs);
    const again = runWork({ ...inputs, checkpointing: true });
    assert.equal(again - base, 100 * 2 * ofLayers + attention / 3);
    assert.equal(runWork({ ...inputs, measuredTokens: 50 }) - base, 50 * 2 * frozen);
    assert.equal(base - runWork({ ...inputs, targetShare: 0.25 }), 75 * 4 * ofHead);
  });
});

describe("the time of a run", () => {
  it("falls with the rate, down to what running programs takes", () => {
    const slow = estimateSeconds(inputs, 1e6, 10);
    assert.ok(Math.abs(slow - runWork(inputs) / 0.65e6) < 0.1);
    const atOnce = estimateSeconds(inputs, Infinity, 10);
    assert.ok(atOnce > 0 && atOnce < 0.1);
  });
});
