/** @file Checkpointing, weights decoded just before use, and attention written out change no result. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { buildKernels } from "../../../../src/build/kernels.ts";
import type { Model, TensorSpec } from "../../../../src/engine/models/architecture.ts";
import { logitsOf } from "../../../../src/engine/network/inference.ts";
import type { Storage } from "../../../../src/engine/programs/setup.ts";
import type { Backend } from "../../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { formulaWeights } from "../../../support/formula-weights.ts";
import type { NetworkParts, TestNetwork, Training } from "../../../support/network.ts";
import { buildNetwork, stored } from "../../../support/network.ts";
import { gradientsOf, largestDifference, networkCases } from "./cases.ts";

/** Rounding of float32 over a few sums in another order. */
const tolerance = 5e-6;

const lora: Training = { kind: "lora", lora: { r: 4, alpha: 8, use_rslora: false } };
const trainings: readonly Training[] = [lora, { kind: "full" }];

/** Everything in one form, but embedding tables never in NF4, nor the head that may share one. */
function heldAs(storage: Storage): (tensor: TensorSpec) => Storage {
  return ({ role, name }) =>
    storage.type === "nf4" && (role === "embedding" || name === "lm_head.weight")
      ? { type: "float32" }
      : storage;
}

/** Reads what a network holds, decoded; what trains comes from the formula. */
function decodedReader({ base, parameters }: TestNetwork, model: Model): NetworkParts["read"] {
  const tensors = new Map(
    model.blocks.flatMap((block) => block.tensors.map((tensor) => [tensor.source, tensor])),
  );
  const read = formulaWeights(model);
  return (name) =>
    parameters.all.has(name) ? read(name) : stored(tensors.get(name), base.decode(name).slice());
}

const storages: readonly Storage[] = [
  { type: "float16" },
  { type: "bfloat16" },
  { type: "nf4", blockSize: 64, doubleQuant: true },
];

for (const { name, model, batch } of networkCases)
  describe(`gradients of ${name}`, () => {
    let backend: Backend;
    before(async () => {
      await buildKernels();
      backend = await createOrtBackend({ device: "cpu", threads: 1 });
    });
    const build = (parts: Partial<NetworkParts>) =>
      buildNetwork({ backend, model, read: formulaWeights(model), training: lora, ...parts });

    for (const training of trainings)
      it(`are the same with checkpointing, ${training.kind}`, async () => {
        const kept = await gradientsOf(build({ training }), batch);
        const again = await gradientsOf(build({ training, checkpointing: true }), batch);
        assert(largestDifference(again, kept) < tolerance);
      });

    for (const training of trainings)
      it(`are the same with attention written out, ${training.kind}`, async () => {
        const fused = await gradientsOf(build({ training }), batch);
        // A bias, be it zero, is not for the operator that computes attention at once.
        const data = batch.bias?.data ?? new Float32Array(batch.batch * batch.length);
        const biased = { ...batch, bias: { kind: "keys", data } } as const;
        const written = await gradientsOf(build({ training }), biased);
        assert(largestDifference(written, fused) < tolerance);
      });

    for (const storage of storages)
      for (const checkpointing of [false, true])
        it(`and logits are those of the decoded base in ${storage.type}${checkpointing ? ", checkpointed" : ""}`, async () => {
          const held = build({ storage: heldAs(storage), checkpointing });
          const decoded = build({ read: decodedReader(held, model) });
          const logits = await logitsOf(held.context, batch);
          const expected = await logitsOf(decoded.context, batch);
          assert(largestDifference(new Map([["", logits]]), new Map([["", expected]])) < tolerance);
          const made = await gradientsOf(held, batch);
          assert(largestDifference(made, await gradientsOf(decoded, batch)) < tolerance);
        });
  });
