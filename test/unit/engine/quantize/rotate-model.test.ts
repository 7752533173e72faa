/** @file A rotated model is the same function of other weights, in every shape of the Llama family; others are refused by name. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Model } from "../../../../src/engine/models/architecture.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import { untied } from "../../../../src/engine/models/untie.ts";
import { logitsOf } from "../../../../src/engine/network/inference.ts";
import type { ReadTensor } from "../../../../src/engine/quantize/rotate-model.ts";
import { requireRotatable, rotatedReader } from "../../../../src/engine/quantize/rotate-model.ts";
import { randomRotation } from "../../../../src/engine/quantizers/blocks/rotation.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { at, invariant } from "../../../../src/shared/errors.ts";
import { uniform } from "../../../conformance/engine/quantizer-case.ts";
import { formulaWeights } from "../../../support/formula-weights.ts";
import { buildNetwork } from "../../../support/network.ts";
import { bert, gpt2, llama, roberta } from "../models/configs.ts";
import { networkCases } from "../network/cases.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const { batch } = at(networkCases, 0);

describe("rotating", () => {
  for (const [name, config] of [
    ["llama", llama],
    ["llama whose head is tied", { ...llama, tie_word_embeddings: true }],
    ["llama with biases", { ...llama, attention_bias: true, mlp_bias: true }],
    ["heads of a size that is no power of two", { ...llama, hidden_size: 24 }],
    ["qwen2", { ...llama, model_type: "qwen2" }],
    ["qwen3", { ...llama, model_type: "qwen3", head_dim: 8 }],
  ] as const)
    it(`keeps the logits of ${name}`, async () => {
      const model = untied(read(config));
      const plain = formulaWeights(model);
      const reader: ReadTensor = ({ source }) => Promise.resolve(plain(source));
      const rotation = randomRotation(model.sizes.hidden, uniform(5));
      const turned = await allOf(model, rotatedReader(model, reader, rotation));
      const before = await logits(model, await allOf(model, reader));
      const after = await logits(model, turned);
      const size = before.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const [i, value] of after.entries())
        assert.ok(Math.abs(value - at(before, i)) < 1e-5 * size, `${value} for ${at(before, i)}`);
      for (const { role, source, shape } of model.blocks.flatMap(({ tensors }) => tensors)) {
        const own = turned.get(source) ?? new Float32Array();
        if (role === "norm" && !source.includes("q_norm") && !source.includes("k_norm"))
          assert.ok(
            own.every((value) => value === 1),
            source,
          );
        if (shape.length === 2) assert.notDeepEqual(own, Float32Array.from(plain(source)), source);
      }
    });

  for (const config of [gpt2, bert, roberta])
    it(`refuses ${String(config["model_type"])} and names it`, () => {
      assert.throws(
        () => {
          requireRotatable(read(config), "RSQ");
        },
        new RegExp(`those of ${String(config["model_type"])} have them`),
      );
    });
});

function read(config: Readonly<Record<string, unknown>>): Model {
  const task = config["model_type"] === "bert" || config["model_type"] === "roberta" ? "sequence-classification" : "causal-lm"; // prettier-ignore
  const { value, findings } = readModel(config, "config.json", task);
  invariant(value, findings.map(({ message }) => message).join(" "));
  return value;
}

async function allOf(model: Model, reader: ReadTensor): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const tensor of model.blocks.flatMap(({ tensors }) => tensors))
    values.set(tensor.source, await reader(tensor));
  return values;
}

function logits(model: Model, values: ReadonlyMap<string, Float32Array>): Promise<Float32Array> {
  const { context } = buildNetwork({
    backend,
    model,
    read: (name) => values.get(name) ?? new Float32Array(),
    training: { kind: "none" },
  });
  return logitsOf(context, batch);
}
