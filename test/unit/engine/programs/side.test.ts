/** @file No gradient runs through a model beside which a side network trains: its programs and its memory show it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { adamw } from "../../../../src/engine/optimizers/adamw.ts";
import { runPrograms } from "../../../../src/engine/plan/run-programs.ts";
import { sidePlace, sideTraining } from "../../../../src/engine/programs/side.ts";
import { placedNetwork, tinyModels } from "../../../conformance/engine/placed-case.ts";
import type { PlacedNetwork } from "../../../conformance/engine/placed-case.ts";

const shape = { batch: 2, length: 6, ownPositions: false, bias: "none" } as const;
const rule = adamw.bind({ betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 });

for (const model of Object.keys(tinyModels))
  it(`reads no weight of ${model} in a backward pass, and gives none of its states a gradient`, async (t) => {
    const { setup } = await placedNetwork(t, model, { type: "lst", reduction: 2 });
    const blocks = [...setup.setups.values()];
    assert.equal(blocks.filter((block) => sidePlace(block)).length, blocks.length);
    for (const block of blocks) {
      const narrow = sidePlace(block)?.narrow?.sizes.hidden ?? 0;
      const { forward, backward } = sideTraining(setup.model, block, { ...shape, narrow }, false);
      for (const graph of [forward, backward])
        for (const { name } of graph.inputs)
          assert(!name.startsWith("tensor.") || name.startsWith("tensor.side#"), name);
      for (const name of backward.outputs.keys())
        assert(name === "d.side" || name.startsWith("grad.side#"), name);
    }
  });

it("keeps a hidden state of each layer, where gradients through the model keep much more", async (t) => {
  const kept = async (method: string): Promise<number> => {
    const { setup } = await placedNetwork(t, "llama", { type: method });
    return keptBytes(setup);
  };
  const [beside, through] = [await kept("lst"), await kept("lora")];
  assert(beside < through / 2, `${beside} bytes against ${through}`);
});

it("compiles no training program of the model's own layers", async (t) => {
  const { setup } = await placedNetwork(t, "llama", { type: "lst", reduction: 2 });
  for (const graph of programs(setup).graphs) {
    const names = graph.inputs.map(({ name }) => name);
    const isOfModel = names.some((name) => /^tensor\.(?:self_attn|mlp)\./u.test(name));
    const gives = [...graph.outputs.keys()].filter((name) => name.startsWith("grad."));
    assert(!isOfModel || gives.length === 0, gives.join());
  }
});

function programs(setup: PlacedNetwork["setup"]): ReturnType<typeof runPrograms> {
  return runPrograms({
    model: setup.model,
    setups: [...setup.setups.values()],
    rule,
    checkpointing: false,
    batches: [{ shape: { ...shape, length: 32 }, headRows: [4] }],
    measured: [],
    generated: [],
    target: "classes",
  });
}

function keptBytes(setup: PlacedNetwork["setup"]): number {
  return programs(setup).activations;
}
