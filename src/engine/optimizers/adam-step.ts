/** @file Adam's step as the rules of its family share it: averages of the gradient and of its square, and the weight's decay apart. */
import { list, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { at } from "../../shared/errors.ts";
import { add, div, mul, scalar, scale, sqrt, sub } from "../core/ops.ts";
import { read } from "./define.ts";
import type { StepInputs, StepNumbers, StepOutputs } from "./define.ts";

/** Fields of Adam, as an experiment file names them. */
export const adamFields = {
  betas: list(number({ min: 0, below: 1, doc: "Decay of a running average." }), {
    default: [0.9, 0.999],
    minLength: 2,
    maxLength: 2,
    doc: "Decay of the running averages of the gradient and of its square.",
  }),
  eps: number({
    default: 1e-8,
    above: 0,
    doc: "Added to the denominator.",
    aliases: ["adam_epsilon"],
  }),
  weight_decay: number({
    default: 0,
    min: 0,
    doc: "Decay of the weights, in proportion to the learning rate; biases and norms are left out, as in transformers.",
  }),
};

export interface AdamConfig {
  readonly betas: readonly number[];
  readonly eps: number;
  readonly weight_decay: number;
}

/** keep = 1 − lr λ, rate = lr / (1 − β₁ᵗ), correction = 1 / √(1 − β₂ᵗ). */
export function adamNumbers(
  { betas, weight_decay }: AdamConfig,
  { t, lr, decays }: StepNumbers,
): { readonly keep: number; readonly rate: number; readonly correction: number } {
  return {
    keep: 1 - (decays ? lr * weight_decay : 0),
    rate: lr / (1 - at(betas, 0) ** t),
    correction: 1 / Math.sqrt(1 - at(betas, 1) ** t),
  };
}

/** β x + (1 − β) y. */
export function average(g: Graph, x: Value, y: Value, beta: number): Value {
  return add(g, scale(g, x, beta), scale(g, y, 1 - beta));
}

/** m and v after a gradient; `square` is what v averages. */
export function adamMoments(
  g: Graph,
  state: Readonly<Record<string, Value>>,
  gradient: Value,
  betas: readonly number[],
  square = mul(g, gradient, gradient),
): { readonly m: Value; readonly v: Value } {
  return {
    m: average(g, read(state, "m"), gradient, at(betas, 0)),
    v: average(g, read(state, "v"), square, at(betas, 1)),
  };
}

/** m / (√v / √(1 − β₂ᵗ) + ε), as PyTorch orders it. */
export function adamDirection(
  g: Graph,
  { m, v }: { readonly m: Value; readonly v: Value },
  numbers: StepInputs["numbers"],
  eps: number,
): Value {
  return div(g, m, add(g, mul(g, sqrt(g, v), read(numbers, "correction")), scalar(g, eps)));
}

/** keep w − rate u. */
export function adamWeight(
  g: Graph,
  weight: Value,
  direction: Value,
  numbers: StepInputs["numbers"],
): Value {
  const update = mul(g, direction, read(numbers, "rate"));
  return sub(g, mul(g, weight, read(numbers, "keep")), update);
}

/** The whole step. */
export function adamStep(
  g: Graph,
  { weight, gradient, state, numbers }: StepInputs,
  { betas, eps }: AdamConfig,
): StepOutputs {
  const moments = adamMoments(g, state, gradient, betas);
  const direction = adamDirection(g, moments, numbers, eps);
  return { weight: adamWeight(g, weight, direction, numbers), state: { ...moments } };
}
