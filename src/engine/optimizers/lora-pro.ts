/**
 * @file LoRA-Pro: gradients of a pair changed so that the step of s B A is as near to full fine-tuning's as the rank allows.
 *
 * Wang, Liang, He, Wang, Tan, "LoRA-Pro: Are Low-Rank Adapters Properly Optimized?", 2024, https://arxiv.org/abs/2407.18242.
 *
 *   g_A' = (BᵀB)⁻¹ g_A / s² + X A
 *   g_B' = (I − B (BᵀB)⁻¹ Bᵀ) g_B (A Aᵀ)⁻¹ / s² − B X
 *   BᵀB X + X A Aᵀ = −(BᵀB)⁻¹ g_A Aᵀ / s²
 *
 * `mode: full`, the paper's algorithm with AdamW: its averages are of g̃ = s B g_A' + s g_B' A, the whole weight's shape, in
 * which X cancels; their direction d is divided among A and B by the same equations with g_A = s Bᵀ d and g_B = s d Aᵀ.
 * `mode: efficient`, the official code's second: AdamW steps on g_A' and g_B', with averages of the factors' shapes. While
 * B is zero, g_A' = g_A and g_B' = g_B (A Aᵀ)⁻¹ / s². Inverses are of the matrix + 1e-8 I, as in the code; its averages
 * are bfloat16 in `full`, here float32, and weights decay as AdamW's do, without the frozen weight.
 */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { at, invariant } from "../../shared/errors.ts";
import { oneOf } from "../../shared/schema.ts";
import type { AdamConfig } from "./adam-step.ts";
import { adamFields, adamNumbers, adamStep, adamWeight } from "./adam-step.ts";
import { defineUpdateRule } from "./define.ts";
import type { PairGradients } from "./define.ts";

export const loraPro = defineUpdateRule({
  name: "lora_pro",
  title: "LoRA-Pro",
  doc: "Changes the gradients of A and B so that their product moves as full fine-tuning by AdamW would.",
  equation: "g_A', g_B' = argmin ‖s (B g_A' + g_B' A) − ∂L/∂W‖², from g_A and g_B alone; AdamW",
  use: "Choose it where LoRA falls short of full fine-tuning and time for each step is there.",
  paperTitle: "LoRA-Pro: Are Low-Rank Adapters Properly Optimized?",
  paper: "https://arxiv.org/abs/2407.18242",
  config: {
    mode: oneOf(
      {
        full: "AdamW's averages are of the whole weight's shape, as in the paper: as near to full fine-tuning as it gets.",
        efficient:
          "AdamW's averages are of the factors' shapes: as little memory as LoRA's, but a slower start.",
      },
      { default: "full", doc: "What AdamW averages." },
    ),
    ...adamFields,
  },
  axes: { U: "gradient of the pair corrected, AdamW" },
  evidence: "reference",
  state: ["m", "v"],
  numbers: (config, step) => ({ ...adamNumbers(config, step) }),
  step: (g, inputs, config) => adamStep(g, inputs, config),
  matrix: {
    takes: ({ pair }, { mode }) => mode === "full" && pair !== undefined,
    state: ({ pair }) => (pair?.role === "B" ? { m: pair.shape, v: pair.shape } : {}),
    // Its direction stands where the gradient was.
    step: (g, { weight, gradient, numbers }) => ({
      weight: adamWeight(g, weight, gradient, numbers),
      state: {},
    }),
  },
  async pair(given, linalg, config) {
    const pair = matrices(given);
    const frames = await framesOf(pair, linalg);
    const { gA, gB } = await divided(
      config.mode === "full" ? await directed(pair, frames, given, config, linalg) : pair,
      frames,
      linalg,
    );
    given.gradientA.set(gA.data);
    given.gradientB.set(gB.data);
  },
});

const ridge = 1e-8;

interface Pair {
  readonly rank: number;
  readonly scale: number;
  readonly A: Matrix;
  readonly B: Matrix;
  readonly gA: Matrix;
  readonly gB: Matrix;
}

function matrices({ rank, scale, A, B, gradientA, gradientB }: PairGradients): Pair {
  const rows = B.length / rank;
  return {
    ...{ rank, scale, A: matrix(rank, A), B: matrix(rows, B) },
    ...{ gA: matrix(rank, gradientA), gB: matrix(rows, gradientB) },
  };
}

/** Eigenvalues and inverses of BᵀB and A Aᵀ. */
interface Frames {
  readonly inner: Eigen;
  readonly outer: Eigen;
  readonly innerInverse: Matrix;
  readonly outerInverse: Matrix;
}

async function framesOf({ A, B }: Pair, linalg: Linalg): Promise<Frames> {
  const outer = await linalg.eigh(await linalg.multiply(A, A, { transposeB: true }));
  const inner = await linalg.eigh(await linalg.multiply(B, B, { transposeA: true }));
  const [innerInverse, outerInverse] = [await inverse(linalg, inner), await inverse(linalg, outer)];
  return { inner, outer, innerInverse, outerInverse };
}

/** g_A' and g_B' but for X. */
async function raised(
  { B, gA, gB, scale }: Pair,
  { innerInverse, outerInverse }: Frames,
  linalg: Linalg,
): Promise<{ readonly forA: Matrix; readonly forB: Matrix; readonly inside: Matrix }> {
  const perScale = 1 / scale ** 2;
  // While B is zero so is g_A, and what A does has no effect yet.
  const still = B.data.every((x) => x === 0);
  const forA = still ? gA : scaled(await linalg.multiply(innerInverse, gA), perScale);
  const forB = scaled(await linalg.multiply(gB, outerInverse), perScale);
  // (BᵀB)⁻¹ Bᵀ G, without the square of `out`.
  const inside = await linalg.multiply(
    innerInverse,
    await linalg.multiply(B, forB, { transposeA: true }),
  );
  return { forA, forB, inside };
}

/** g̃ = s B g_A' + s g_B' A. */
async function whole(pair: Pair, frames: Frames, linalg: Linalg): Promise<Matrix> {
  const { forA, forB, inside } = await raised(pair, frames, linalg);
  const outside = minus(forB, await linalg.multiply(pair.B, inside));
  const left = await linalg.multiply(pair.B, forA);
  const right = await linalg.multiply(outside, pair.A);
  return { ...left, data: left.data.map((x, index) => pair.scale * (x + at(right.data, index))) };
}

/** The pair with the gradients of AdamW's direction of g̃. */
async function directed(
  pair: Pair,
  frames: Frames,
  given: PairGradients,
  config: AdamConfig,
  linalg: Linalg,
): Promise<Pair> {
  const direction = adamDirection(await whole(pair, frames, linalg), given, config);
  const { A, B, scale } = pair;
  return {
    ...pair,
    gA: scaled(await linalg.multiply(B, direction, { transposeA: true }), scale),
    gB: scaled(await linalg.multiply(direction, A, { transposeB: true }), scale),
  };
}

/** g_A' and g_B'. */
async function divided(
  pair: Pair,
  frames: Frames,
  linalg: Linalg,
): Promise<{ readonly gA: Matrix; readonly gB: Matrix }> {
  const { forA, forB, inside } = await raised(pair, frames, linalg);
  const { rank, A, B } = pair;
  if (B.data.every((x) => x === 0)) return { gA: forA, gB: forB };
  const { inner, outer } = frames;
  // In the bases of both Gram matrices the equation of X falls apart into its elements.
  const right = scaled(await linalg.multiply(forA, A, { transposeB: true }), -1);
  const turned = await linalg.multiply(
    await linalg.multiply(inner.V, right, { transposeA: true }),
    outer.V,
  );
  const solved = {
    ...turned,
    data: turned.data.map((x, index) => {
      const sum = at(inner.values, Math.floor(index / rank)) + at(outer.values, index % rank);
      return x / Math.max(sum, ridge);
    }),
  };
  const X = await linalg.multiply(await linalg.multiply(inner.V, solved), outer.V, {
    transposeB: true,
  });
  const taken = { ...inside, data: inside.data.map((x, index) => x + at(X.data, index)) };
  return {
    gA: minus(forA, scaled(await linalg.multiply(X, A), -1)),
    gB: minus(forB, await linalg.multiply(B, taken)),
  };
}

/**
 * Takes g̃ into the averages; m / (√v / √(1 − β₂ᵗ) + ε), which the step multiplies by lr / (1 − β₁ᵗ). The scale of clipping,
 * which the step applies to what it is given, is taken off again.
 */
function adamDirection(g: Matrix, given: PairGradients, config: AdamConfig): Matrix {
  const { state, t, gradientScale } = given;
  const [m, v] = [state.get("m"), state.get("v")];
  invariant(m && v, "LoRA-Pro's averages are missing");
  const [first = 0, second = 0] = config.betas;
  const { correction } = adamNumbers(config, { t, lr: 0, decays: false });
  const data = g.data.map((value, index) => {
    const slope = value * gradientScale;
    const mean = first * at(m, index) + (1 - first) * slope;
    const square = second * at(v, index) + (1 - second) * slope * slope;
    m[index] = mean;
    v[index] = square;
    return mean / (Math.sqrt(square) * correction + config.eps) / gradientScale;
  });
  return { ...g, data };
}

interface Eigen {
  readonly values: Float64Array;
  readonly V: Matrix;
}

/** V diag(1 / (values + ridge)) Vᵀ. */
async function inverse(linalg: Linalg, { values, V }: Eigen): Promise<Matrix> {
  const divided = {
    ...V,
    data: V.data.map((x, index) => x / (Math.max(at(values, index % V.columns), 0) + ridge)),
  };
  return linalg.multiply(divided, V, { transposeB: true });
}

function matrix(rows: number, values: Float32Array): Matrix {
  return { rows, columns: values.length / rows, data: Float64Array.from(values) };
}

function minus(x: Matrix, y: Matrix): Matrix {
  return { ...x, data: x.data.map((value, index) => value - at(y.data, index)) };
}

function scaled(x: Matrix, factor: number): Matrix {
  return { ...x, data: x.data.map((value) => value * factor) };
}
