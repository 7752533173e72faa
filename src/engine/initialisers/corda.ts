/**
 * @file CorDA: "CorDA: Context-Oriented Decomposition Adaptation of Large Language Models for Task-Aware
 * Parameter-Efficient Fine-tuning", Yang et al., 2024, https://arxiv.org/abs/2406.05223.
 *
 * C = mean over samples of xᵀ x [in, in], each sample's inputs divided by their largest entry as in the
 * authors' code; damped by 0.01 of the mean of its diagonal, doubled until ‖C C⁻¹ − I‖_F < 0.05.
 * W C = U Σ Vᵀ, so W = U Σ (Vᵀ C⁻¹). Of the r largest (`ipm`) or smallest (`kpm`) singular values:
 *   A [rank, in] trained, √(Σ / s) Vᵀ C⁻¹ · B [out, rank] trained, U √(Σ / s) · W − s B A in place of W.
 * As peft's `init_lora_weights="corda"`; padding is left out of C, where peft counts what it is given.
 */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { UserError, at } from "../../shared/errors.ts";
import { int, oneOf } from "../../shared/schema.ts";
import type { InputStatistics } from "../methods/start.ts";
import { defineInitialiser } from "./define.ts";

export const corda = defineInitialiser({
  name: "corda",
  title: "CorDA",
  equation: "W C = U Σ Vᵀ, B A from r parts of U Σ (Vᵀ C⁻¹), C the inputs' covariance",
  use: "Choose it to learn a task faster (ipm), or to lose least of what samples show (kpm).",
  paperTitle:
    "CorDA: Context-Oriented Decomposition Adaptation of Large Language Models for Task-Aware Parameter-Efficient Fine-tuning",
  paper: "https://arxiv.org/abs/2406.05223",
  doc: "Starts from singular directions of the weight that are weighted by the covariance of its inputs.",
  axes: { I: "covariance-weighted SVD of W, subtracted", E: "LoRA of rank 2r" },
  evidence: "reference",
  config: {
    mode: oneOf(
      {
        ipm: "The directions that matter most for the samples are trained: for a task like theirs.",
        kpm: "Those that matter least are trained: what the samples show is kept.",
      },
      { default: "ipm", doc: "Which of the directions are trained.", aliases: ["corda_method"] },
    ),
    samples: int({ default: 256, min: 1, doc: "Training examples that inputs are measured on." }),
  },
  start: ({ mode, samples }) => ({
    needs: ["weight", "inputs"],
    calibration: { samples, single: true, counts: "all", peak: true },
    async run(site, ctx) {
      const { linalg, rank, scale } = ctx;
      const count = Math.min(rank, site.in, site.out);
      const { C, inverse } = await dampedCovariance(linalg, await ctx.inputs(), site.module);
      const W = {
        rows: site.out,
        columns: site.in,
        data: Float64Array.from(await ctx.weight("original")),
      };
      const { U, sigma, Vt } = await linalg.svd(await linalg.multiply(W, C));
      const first = mode === "ipm" ? 0 : sigma.length - count;
      const halves = Float64Array.from({ length: count }, (_, k) =>
        Math.sqrt(at(sigma, first + k) / scale),
      );
      const rows = Vt.data.subarray(first * site.in, (first + count) * site.in);
      const right = await linalg.multiply({ rows: count, columns: site.in, data: rows }, inverse);
      // Rows beyond the smaller side stay zero.
      const A = new Float32Array(rank * site.in);
      const B = new Float32Array(site.out * rank);
      for (let k = 0; k < count; k++) {
        for (let column = 0; column < site.in; column++)
          A[k * site.in + column] = at(right.data, k * site.in + column) * at(halves, k);
        for (let row = 0; row < site.out; row++)
          B[row * rank + k] = at(U.data, row * U.columns + first + k) * at(halves, k);
      }
      return { A, B, subtract: true };
    },
  }),
});

interface Damped {
  readonly C: Square;
  readonly inverse: Square;
}

interface Square {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** C + damping I with its inverse, with as little damping as makes the inverse good. */
async function dampedCovariance(
  linalg: Linalg,
  { secondMoment, batches }: InputStatistics,
  module: string,
): Promise<Damped> {
  const size = Math.sqrt(secondMoment.length);
  const mean = secondMoment.map((value) => value / batches);
  let trace = 0;
  for (let place = 0; place < size; place++) trace += at(mean, place * (size + 1));
  for (let share = 0.01; Number.isFinite(share) && trace > 0; share *= 2) {
    const damping = (trace / size) * share;
    const data = mean.slice();
    for (let place = 0; place < size; place++)
      data[place * (size + 1)] = at(data, place * (size + 1)) + damping;
    const C = { rows: size, columns: size, data };
    const inverse = await linalg.spdInverse(C, 0);
    if (inverse === undefined) continue;
    const product = await linalg.multiply(C, inverse);
    let error = 0;
    for (const [place, value] of product.data.entries())
      error += (value - (place % (size + 1) === 0 ? 1 : 0)) ** 2;
    if (Math.sqrt(error) < 0.05) return { C, inverse };
  }
  throw new UserError({
    code: "inputs-without-variance",
    message: `The inputs of ${module} are all zero: they say nothing of its directions.`,
    remedy: "Give more training examples, or another start.",
  });
}
