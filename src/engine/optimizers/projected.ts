/** @file Adam on a matrix's gradient seen through its top singular vectors: what GaLore and its kin share. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { matrixOperator } from "../../../kernels/krylov/operator.ts";
import { topSvd } from "../../../kernels/krylov/top-svd.ts";
import type { Shape } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import { int, list, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, div, matmul, mul, scalar, sqrt, sub } from "../core/ops.ts";
import { uprightSign } from "../methods/upright.ts";
import type { AdamConfig } from "./adam-step.ts";
import { adamMoments } from "./adam-step.ts";
import { read } from "./define.ts";
import type { HostWork, StepInputs, StepNumbers, StepOutputs, TensorFacts } from "./define.ts";

export const projectedFields = {
  rank: int({ default: 128, min: 1, doc: "Singular vectors that the gradient is seen through." }),
  update_proj_gap: int({
    default: 200,
    min: 1,
    unit: "steps",
    doc: "Steps between decompositions of the gradient.",
  }),
  scale: number({ default: 0.25, above: 0, doc: "What the projected update is multiplied by." }),
  betas: list(number({ min: 0, below: 1, doc: "Decay of a running average." }), {
    default: [0.9, 0.999],
    minLength: 2,
    maxLength: 2,
    doc: "Decay of the running averages of the gradient and of its square.",
  }),
  eps: number({ default: 1e-6, above: 0, doc: "Added to the denominator." }),
  weight_decay: number({
    default: 0,
    min: 0,
    doc: "Decay of the weights, in proportion to the learning rate; biases and norms are left out.",
  }),
};

export interface ProjectedConfig extends AdamConfig {
  readonly rank: number;
  readonly scale: number;
  readonly update_proj_gap: number;
}

/** What goes by element takes the same Adam on the gradient as it is. */
export const projectedRule = {
  state: ["m", "v"],
  numbers: projectedNumbers,
  step: plainStep,
} as const;

/** What becomes of a matrix beside its step, {@link projectedStep} with a rule's own parts. */
export const projectedMatrix = {
  takes: projects,
  state: projectedState,
  host: { every: ({ update_proj_gap }: ProjectedConfig) => update_proj_gap, run: refresh },
};

/** Weights of the layers' linear maps; embeddings, heads, norms and biases go by element, as in the official code. */
function projects({ kind, shape }: TensorFacts): boolean {
  return kind === "linear" && shape.length === 2;
}

/** Tall matrices are projected on their right vectors. */
function isTall({ shape }: TensorFacts): boolean {
  return at(shape, 0) >= at(shape, 1);
}

function rankOf({ shape }: TensorFacts, rank: number): number {
  return Math.min(rank, ...shape);
}

/** P [r, in] of right vectors or [out, r] of left ones, m and v of the projected gradient. */
export function projectedState(
  tensor: TensorFacts,
  { rank }: ProjectedConfig,
): Readonly<Record<"P" | "m" | "v", Shape>> {
  const r = rankOf(tensor, rank);
  const [out, width] = [at(tensor.shape, 0), at(tensor.shape, 1)];
  const low = isTall(tensor) ? [out, r] : [r, width];
  return { P: isTall(tensor) ? [r, width] : [out, r], m: low, v: low };
}

/**
 * Beyond this share of the smaller side all singular vectors come as cheaply: of 1536 × 576 in 0.3 s of a processor, 128 by
 * Krylov steps in 0.6. Below it the steps find what a decomposition would to six digits; a subspace that keeps its last
 * block alone would miss a fifth of it.
 */
const wholeShare = 1 / 8;
/** Of the random block that the Krylov method starts from. */
const seed = 0x9a10;

/** P from the gradient's top singular vectors. */
async function refresh(
  { tensor, gradient, state, linalg }: HostWork,
  { rank }: ProjectedConfig,
): Promise<void> {
  const r = rankOf(tensor, rank);
  const [rows, columns] = [at(tensor.shape, 0), at(tensor.shape, 1)];
  const G: Matrix<Float32Array> = { rows, columns, data: gradient };
  const P = state.get("P");
  invariant(P, "a projected rule has lost its projection");
  // A gradient of nothing but zeros has no direction; the last projection stays.
  if (gradient.every((x) => x === 0)) return;
  const found =
    r > wholeShare * Math.min(rows, columns)
      ? await linalg.svd({ ...G, data: Float64Array.from(gradient) })
      : await topSvd(linalg, matrixOperator(linalg, G), { k: r, iterations: 4, seed });
  const tall = isTall(tensor);
  const length = tall ? columns : rows;
  const { U, Vt } = found;
  for (let k = 0; k < r; k++) {
    // The k-th vector; its sign is free, and m and v outlive a change of P.
    const vector = Float64Array.from({ length }, (_, i) =>
      tall ? at(Vt.data, k * columns + i) : at(U.data, i * U.columns + k),
    );
    const sign = uprightSign(vector);
    vector.forEach((x, i) => (P[tall ? k * columns + i : i * r + k] = sign * x));
  }
}

/** lr √(1 − β₂ᵗ) / (1 − β₁ᵗ) and the decay after the step: Adam as transformers had it, with ε beside √v itself. */
export function projectedNumbers(
  { betas, weight_decay }: ProjectedConfig,
  { t, lr, decays }: StepNumbers,
): { readonly rate: number; readonly keep: number } {
  const corrected = Math.sqrt(1 - at(betas, 1) ** t) / (1 - at(betas, 0) ** t);
  return { rate: lr * corrected, keep: 1 - (decays ? lr * weight_decay : 0) };
}

/** keep (w − rate u). */
function stepped(g: Graph, weight: Value, update: Value, numbers: StepInputs["numbers"]): Value {
  return mul(g, sub(g, weight, mul(g, update, read(numbers, "rate"))), read(numbers, "keep"));
}

function direction(g: Graph, { m, v }: { m: Value; v: Value }, eps: number): Value {
  return div(g, m, add(g, sqrt(g, v), scalar(g, eps)));
}

/** What is not projected. */
function plainStep(
  g: Graph,
  { weight, gradient, state, numbers }: StepInputs,
  { betas, eps }: ProjectedConfig,
): StepOutputs {
  const moments = adamMoments(g, state, gradient, betas);
  return {
    weight: stepped(g, weight, direction(g, moments, eps), numbers),
    state: { ...moments },
  };
}

/** What a projected step has seen, for rules that use the rest of the gradient too. */
export interface Projection {
  /** The projected gradient and what Adam makes of it, both in the low dimension. */
  readonly low: Value;
  readonly adam: Value;
  /** From the low dimension to the weight's. */
  readonly back: (x: Value) => Value;
  /** The axis of the low tensors that the projection leaves as it is: 0 where it is tall. */
  readonly kept: 0 | 1;
}

/** What a rule does otherwise than GaLore. */
export interface ProjectedParts {
  /** What Adam sees in place of the projected gradient. */
  readonly through?: (low: Value) => Changed<"gradient">;
  /** What is added to the update, and scaled with it. */
  readonly beside?: (seen: Projection) => Changed<"update">;
}

type Changed<Name extends string> = { readonly [N in Name]: Value } & {
  /** Of the rule's own. */
  readonly state: Readonly<Record<string, Value>>;
};

/** scale · back(Adam(project(g))). */
export function projectedStep(
  g: Graph,
  { weight, gradient, state, numbers }: StepInputs,
  { betas, eps, scale }: ProjectedConfig,
  tensor: TensorFacts,
  { through, beside }: ProjectedParts = {},
): StepOutputs {
  const P = read(state, "P");
  const tall = isTall(tensor);
  const projected = tall
    ? matmul(g, gradient, P, { transB: true })
    : matmul(g, P, gradient, { transA: true });
  const seen = through?.(projected);
  const low = seen?.gradient ?? projected;
  const moments = adamMoments(g, state, low, betas);
  const adam = direction(g, moments, eps);
  const back = (x: Value): Value => (tall ? matmul(g, x, P) : matmul(g, P, x));
  const rest = beside?.({ low, adam, back, kept: tall ? 0 : 1 });
  const whole = rest ? add(g, back(adam), rest.update) : back(adam);
  return {
    weight: stepped(g, weight, mul(g, whole, scalar(g, scale)), numbers),
    state: { ...moments, ...seen?.state, ...rest?.state },
  };
}
