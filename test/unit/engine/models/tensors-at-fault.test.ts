/** @file What is said where the weights are not those that config.json describes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { invariant } from "../../../../src/shared/errors.ts";
import type { Model, TensorSpec } from "../../../../src/engine/models/architecture.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import { tensorsAtFault } from "../../../../src/engine/models/tensors-at-fault.ts";
import { type Config, bert, gpt2, llama } from "./configs.ts";

function modelOf(config: Config, task: "causal-lm" | "sequence-classification"): Model {
  const { value } = readModel(config, "config.json", task);
  invariant(value, "a model of the tests is read");
  return value;
}

/** Names and shapes as a checkpoint of `model` has them. */
function checkpoint(model: Model, name = ({ source }: TensorSpec) => source) {
  return new Map(
    model.blocks.flatMap(({ tensors }) =>
      tensors.map((tensor) => {
        const { shape, transposed } = tensor;
        return [name(tensor), { shape: transposed ? shape.toReversed() : shape }] as const;
      }),
    ),
  );
}

describe("tensorsAtFault", () => {
  for (const [config, task] of [
    [llama, "causal-lm"],
    [gpt2, "causal-lm"],
    [bert, "sequence-classification"],
  ] as const) {
    const model = modelOf(config, task);
    it(`finds nothing in a checkpoint of ${String(config["model_type"])}, with and without the prefix of its names`, () => {
      assert.equal(tensorsAtFault(model, checkpoint(model)), undefined);
      const bare = checkpoint(model, ({ source }) => source.replace(`${model.basePrefix}.`, ""));
      assert.equal(tensorsAtFault(model, bare), undefined);
    });
  }

  it("does not miss what starts afresh", () => {
    const model = modelOf(bert, "sequence-classification");
    const tensors = checkpoint(model);
    assert.ok(tensors.delete("classifier.weight"));
    assert.equal(tensorsAtFault(model, tensors), undefined);
  });

  it("names what is missing, and counts the rest", () => {
    const model = modelOf(llama, "causal-lm");
    const tensors = checkpoint(model);
    for (const name of ["q_proj", "k_proj", "v_proj", "o_proj"])
      assert.ok(tensors.delete(`model.layers.0.self_attn.${name}.weight`));
    assert.match(
      tensorsAtFault(model, tensors)?.message ?? "",
      /they lack model\.layers\.0\.self_attn\.q_proj\.weight, .*v_proj\.weight and 1 more\.$/u,
    );
  });

  it("names other shapes as the checkpoint stores them", () => {
    const model = modelOf(gpt2, "causal-lm");
    const tensors = checkpoint(model).set("transformer.h.0.mlp.c_fc.weight", { shape: [64, 16] });
    assert.match(
      tensorsAtFault(model, tensors)?.message ?? "",
      /of other shapes: transformer\.h\.0\.mlp\.c_fc\.weight is \[64, 16\] and not \[16, 64\]\.$/u,
    );
  });
});
