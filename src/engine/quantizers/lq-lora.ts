/**
 * @file LQ-LoRA: a matrix as normal-float codes plus one of low rank, each fitted to what the other leaves.
 *
 * "LQ-LoRA: Low-Rank Plus Quantized Matrix Decomposition for Efficient Language Model Finetuning", Guo, Greengard,
 * Xing, Kim, 2023, https://arxiv.org/abs/2311.12023. Alternates until the error grows and keeps the best step, where its code
 * returns the last. `fisher` weights rows and columns by the squared gradients of the loss. With `budget` every matrix is
 * tried with codes of 2, 3 and 4 bits in groups of 16, 32 and 64, and the choice with the least squared error in all,
 * weighted by the gradients too where `fisher` is, fits it: found exactly where sizes allow (the code asks a solver of
 * integer programs). The budget counts the factors of low rank too, which the paper's does not.
 */
import type { Infer } from "../../shared/schema.ts";
import { bool, int, number } from "../../shared/schema.ts";
import { allocateBest } from "./blocks/budget.ts";
import type { CodeBook } from "./blocks/code-books.ts";
import { nf2, nf3, nf4 } from "./blocks/code-books.ts";
import { decodeBlocks, encodeBlocks } from "./blocks/book-blocks.ts";
import { splitLowRank } from "./blocks/low-rank-split.ts";
import type { MatrixShape, QuantizeContext, SiteMatrix } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { book, bookBytes, packBook } from "./formats/book.ts";
import { granularityOf } from "./formats/grid.ts";
import { lowRankBytes, lowRankSum, packLowRank } from "./formats/low-rank.ts";
import type { PackedMatrix } from "./packed.ts";
import { expanded } from "./packed.ts";

const fields = {
  bits: int({ default: 3, min: 2, max: 4, doc: "Bits of each weight's code." }),
  group: int({
    default: 64,
    min: -1,
    doc: "Neighbouring inputs of an output that share a scale; −1 for all of them, 0 for the whole matrix.",
  }),
  double_quant: bool({ default: true, doc: "Hold the scales in 8 bits." }),
  rank: int({ default: 64, min: 0, doc: "Of the matrix that is added; 0 for none." }),
  steps: int({ default: 20, min: 1, doc: "Rounds of fitting at most." }),
  fisher: bool({
    default: false,
    doc: "Weight the error by the squared gradients of the loss on the calibration data.",
  }),
  budget: number({
    default: null,
    min: 1,
    doc: "Bits a weight of all matrices together, factors of low rank included: bits and group are then chosen for each.",
  }),
} as const;

type Config = Infer<typeof fields>;

export const lqLora = defineQuantizer({
  name: "lq_lora",
  title: "LQ-LoRA",
  doc: "Splits each matrix into normal-float codes and a matrix of low rank, alternately fitted.",
  equation: "W ≈ Q + L₁ L₂, in turn L₁ L₂ = SVD_r(W − Q) and Q = NF(W − L₁ L₂), the best step kept",
  use: "Choose it to train a pair that starts as the answer to the rounding, or to share a budget of bits out over matrices.",
  paperTitle:
    "LQ-LoRA: Low-Rank Plus Quantized Matrix Decomposition for Efficient Language Model Finetuning",
  paper: "https://arxiv.org/abs/2311.12023",
  axes: { B: "normal floats of 2 to 4 bits plus low rank" },
  config: fields,
  needs: ({ fisher }) => (fisher ? ["fisher"] : []),
  formats: [book, lowRankSum],
  storedBytes: bytesOf,
  quantize: store,
  budget: {
    bits: ({ budget }) => budget,
    allocate: allocateBest,
    async ways(config, matrix, ctx) {
      const fisher = config.fisher ? await ctx.fisher() : undefined;
      const found = [];
      for (const bits of [2, 3, 4])
        for (const group of [16, 32, 64]) {
          const own = { ...config, bits, group, budget: null };
          const values = expanded(await store(own, matrix, ctx), [book, lowRankSum]);
          const cost = values.reduce(
            (sum, value, i) => sum + (fisher?.[i] ?? 1) * (value - (matrix.data[i] ?? NaN)) ** 2,
            0,
          );
          found.push({ config: own, cost, size: 8 * bytesOf(own, matrix) });
        }
      return found;
    },
  },
});

function bytesOf({ bits, group, double_quant: nested, rank }: Config, shape: MatrixShape): number {
  return (
    bookBytes(shape, bits, granularityOf(group), nested ? "nested" : "float32") +
    lowRankBytes(shape, rank)
  );
}

async function store(
  { bits, group, double_quant: nested, ...config }: Config,
  { rows, columns, data }: SiteMatrix,
  ctx: QuantizeContext,
): Promise<PackedMatrix> {
  const options = { book: normalFloat(bits), granularity: granularityOf(group), nested };
  const scaleType = nested ? "nested" : "float32";
  if (config.rank === 0) {
    const { codes, scales } = encodeBlocks({ rows, columns, data }, options);
    return packBook({ book: options.book, rows, columns, group, codes, scales }, scaleType);
  }
  const fisher = config.fisher ? { fisher: await ctx.fisher() } : {};
  const split = await splitLowRank(
    ctx.linalg,
    { rows, columns, data: Float64Array.from(data) },
    (rest) => {
      const stored = encodeBlocks(rest, options);
      return { stored, values: decodeBlocks(stored) };
    },
    { rank: config.rank, steps: config.steps, ...fisher },
  );
  const { codes, scales } = split.quantized;
  const base = packBook({ book: options.book, rows, columns, group, codes, scales }, scaleType);
  return packLowRank(base, split);
}

function normalFloat(bits: number): CodeBook {
  return bits === 2 ? nf2 : bits === 3 ? nf3 : nf4;
}
