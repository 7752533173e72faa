/** @file The floating-point work of a LoRA step, by formula: recomputation counts as time, never as work. */
import type { Model } from "../../../src/engine/models/architecture.ts";
import type { ModelSetup } from "../../../src/engine/session/set-up.ts";

/**
 * 2 P T forward and 2 P T backward through frozen weights P (head included, embedding lookup not), 6 P_lora T for
 * the factors, 4 (2 B H S² d) 1.5 a layer for attention.
 */
export function loraStepWork(setup: ModelSetup, batch: number, length: number): number {
  const { model } = setup;
  const tokens = batch * length;
  const attention =
    4 *
    (2 * batch * model.sizes.heads * length * length * model.sizes.headDim) *
    1.5 *
    model.sizes.layers;
  return 4 * frozenWeights(model) * tokens + 6 * setup.trainableParameters * tokens + attention;
}

function frozenWeights(model: Model): number {
  return model.blocks
    .flatMap(({ linears }) => linears)
    .reduce((sum, linear) => sum + linear.in * linear.out, 0);
}
