/** @file The names under which checkpoints hold a tensor. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkpointNames } from "../../../../src/engine/models/tensor-specs.ts";

describe("names in a checkpoint", () => {
  it("may lack the base model's prefix", () => {
    assert.deepEqual(
      checkpointNames({ basePrefix: "transformer" }, "transformer.h.0.ln_1.weight"),
      ["transformer.h.0.ln_1.weight", "h.0.ln_1.weight"],
    );
    assert.deepEqual(checkpointNames({ basePrefix: "model" }, "lm_head.weight"), [
      "lm_head.weight",
    ]);
  });

  it("of LayerNorm may be TensorFlow's", () => {
    assert.deepEqual(checkpointNames({ basePrefix: "bert" }, "bert.embeddings.LayerNorm.weight"), [
      "bert.embeddings.LayerNorm.weight",
      "bert.embeddings.LayerNorm.gamma",
      "embeddings.LayerNorm.weight",
      "embeddings.LayerNorm.gamma",
    ]);
    assert.deepEqual(
      checkpointNames({ basePrefix: "bert" }, "bert.embeddings.LayerNorm.bias").slice(0, 2),
      ["bert.embeddings.LayerNorm.bias", "bert.embeddings.LayerNorm.beta"],
    );
  });
});
