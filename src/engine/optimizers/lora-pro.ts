/**
 * @file LoRA-Pro: gradients of a pair changed so that the step of s B A is as near to full fine-tuning's as the rank allows.
 *
 * Wang, Liang, He, Wang, Tan, "LoRA-Pro: Are Low-Rank Adapters Properly Optimized?", 2024, https://arxiv.org/abs/2407.18242.
 *
 *   g_A' = (BᵀB)⁻¹ g_A / s² + X A
 *   g_B' = (I − B (BᵀB)⁻¹ Bᵀ) g_B (A Aᵀ)⁻¹ / s² − B X
 *   BᵀB X + X A Aᵀ = −(BᵀB)⁻¹ g_A Aᵀ / s²
 *
 * While B is zero, g_A' = g_A and g_B' = g_B (A Aᵀ)⁻¹ / s². Inverses are of the matrix + 1e-8 I, as in the official code.
 * AdamW then steps on the changed gradients, with averages of the factors' shapes: the code's `efficient` mode. Its
 * `full` mode keeps averages of the whole weight's shape and is not made here.
 */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import { adamFields, adamNumbers, adamStep } from "./adam-step.ts";
import { defineUpdateRule } from "./define.ts";
import type { PairGradients } from "./define.ts";

export const loraPro = defineUpdateRule({
  name: "lora_pro",
  title: "LoRA-Pro",
  doc: "Changes the gradients of A and B so that their product moves as full fine-tuning would, then steps with AdamW.",
  paperTitle: "LoRA-Pro: Are Low-Rank Adapters Properly Optimized?",
  paper: "https://arxiv.org/abs/2407.18242",
  config: adamFields,
  axes: { U: "gradient of the pair corrected, AdamW" },
  evidence: "reference",
  state: ["m", "v"],
  numbers: (config, step) => ({ ...adamNumbers(config, step) }),
  step: (g, inputs, config) => adamStep(g, inputs, config),
  pair: correct,
});

const ridge = 1e-8;

/** Writes g_A' and g_B' over g_A and g_B. */
async function correct(pair: PairGradients, linalg: Linalg): Promise<void> {
  const { rank, scale, gradientA, gradientB } = pair;
  const perScale = 1 / scale ** 2;
  const A = matrix(rank, pair.A);
  const B = matrix(pair.B.length / rank, pair.B);
  const gA = matrix(rank, gradientA);
  const gB = matrix(B.rows, gradientB);
  const outer = await linalg.eigh(await linalg.multiply(A, A, { transposeB: true }));
  const AAinverse = await inverse(linalg, outer);
  if (pair.B.every((x) => x === 0)) {
    gradientB.set((await linalg.multiply(gB, AAinverse)).data.map((x) => x * perScale));
    return;
  }
  const inner = await linalg.eigh(await linalg.multiply(B, B, { transposeA: true }));
  const BBinverse = await inverse(linalg, inner);
  const raised = scaled(await linalg.multiply(BBinverse, gA), perScale);
  // In the bases of both Gram matrices the equation of X falls apart into its elements.
  const right = scaled(await linalg.multiply(raised, A, { transposeB: true }), -1);
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
  const XA = await linalg.multiply(X, A);
  const lowered = scaled(await linalg.multiply(gB, AAinverse), perScale);
  // B (BᵀB)⁻¹ Bᵀ G, without the square of `out`.
  const inside = await linalg.multiply(
    BBinverse,
    await linalg.multiply(B, lowered, { transposeA: true }),
  );
  const taken = await linalg.multiply(B, {
    ...inside,
    data: inside.data.map((x, index) => x + at(X.data, index)),
  });
  gradientA.set(raised.data.map((x, index) => x + at(XA.data, index)));
  gradientB.set(lowered.data.map((x, index) => x - at(taken.data, index)));
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

function scaled(x: Matrix, factor: number): Matrix {
  return { ...x, data: x.data.map((value) => value * factor) };
}
