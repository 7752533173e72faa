/**
 * @file BitStack: signs times a matrix of low rank, again and again for what is left, so that any number of parts is a model.
 *
 * "BitStack: Any-Size Compression of Large Language Models in Variable Memory Environments", Wang, Yin, Zhang, Sun, Sun,
 * Gui, Zhang, Huang, 2024, https://arxiv.org/abs/2410.23918. Columns are first multiplied by the norms of their inputs; the factors
 * are stored here, not folded into what is before. Each part is sign(R) ∘ (U V) with U V the best of `rank` for |R|.
 * With `budget` a matrix gets 1 to `parts` of them: level by level over the model, within a level those first that take
 * most of what is left of their matrix, weighted by its inputs (the code runs the model for each part and sorts by
 * perplexity), as far as the budget goes. One order serves every budget, and its models are parts of each other.
 */
import { int, number } from "../../shared/schema.ts";
import { allocateInOrder } from "./blocks/budget.ts";
import { packBits, packedBytes, unpackBits } from "./blocks/bit-packing.ts";
import { lowRank } from "./blocks/low-rank-split.ts";
import type { MatrixShape, QuantizeContext, SiteMatrix } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { floatsOf, halfScale, storedHalf } from "./half.ts";
import type { PackedFormat, PackedMatrix, StoredArray } from "./packed.ts";
import { arrayOf, bytesOf, expanded, numberOf, stored } from "./packed.ts";

/** `columns` float16 [columns]: what columns were multiplied with; for each part i `signs.i` uint8, `left.i` float16 [rows, rank], `right.i` [rank, columns]. */
const bitStack: PackedFormat = {
  name: "bitstack",
  expand(packed, into) {
    const { rows, columns } = packed;
    const factors = floatsOf(arrayOf(packed, "columns"));
    if (factors.length !== columns) throw new RangeError(`${factors.length} factors of columns.`);
    into.fill(0);
    for (let part = 0; part < numberOf(packed, "parts"); part++) addPart(packed, part, into);
    for (let i = 0; i < rows * columns; i++)
      into[i] = (into[i] ?? NaN) / (factors[i % columns] ?? NaN);
  },
};

export const bitstack = defineQuantizer({
  name: "bitstack",
  title: "BitStack",
  doc: "Stacks signs times matrices of low rank, each for what those before leave: fewer parts are a smaller model.",
  equation:
    "W diag(n) ≈ Σ_k sign(R_k) ∘ (U_k V_k), R_{k+1} = R_k − sign(R_k) ∘ (U_k V_k), n the norms of the inputs",
  use: "Choose it where one file should serve machines with more or less memory: fewer parts are a smaller model.",
  paperTitle:
    "BitStack: Any-Size Compression of Large Language Models in Variable Memory Environments",
  paper: "https://arxiv.org/abs/2410.23918",
  axes: { B: "signs times low rank, stacked" },
  config: {
    parts: int({
      default: 4,
      min: 1,
      max: 64,
      doc: "Parts of each matrix: about a bit a weight each.",
    }),
    rank: int({ default: 16, min: 1, doc: "Of each part's magnitudes." }),
    budget: number({
      default: null,
      min: 1,
      doc: "Bits a weight of all matrices together: each then has as many parts, up to `parts`, as its share.",
    }),
  },
  needs: () => ["columns"],
  formats: [bitStack],
  storedBytes: stackBytes,
  quantize: stack,
  budget: {
    bits: ({ budget }) => budget,
    allocate: allocateInOrder,
    async ways(config, matrix, ctx) {
      const whole = await stack(config, matrix, ctx);
      const factors = await columnFactors(ctx);
      const { columns, data } = matrix;
      const weighted = (of: ArrayLike<number>): number =>
        data.reduce(
          (sum, w, i) => sum + ((w - (of[i] ?? NaN)) * (factors[i % columns] ?? NaN)) ** 2,
          0,
        );
      const all = weighted(new Float32Array(data.length));
      return Array.from({ length: config.parts }, (_, i) => {
        const own = { ...config, parts: i + 1, budget: null };
        const left = weighted(expanded(firstParts(whole, i + 1), [bitStack]));
        return { config: own, cost: all > 0 ? left / all : 0, size: 8 * stackBytes(own, matrix) };
      });
    },
  },
});

interface Stacking {
  readonly parts: number;
  readonly rank: number;
}

function stackBytes({ parts, rank }: Stacking, shape: MatrixShape): number {
  return 2 * shape.columns + parts * partBytes(shape, rank);
}

async function stack(
  { parts, rank }: Stacking,
  { rows, columns, data }: SiteMatrix,
  ctx: QuantizeContext,
): Promise<PackedMatrix> {
  if (!data.every(Number.isFinite)) throw new RangeError("A weight is not finite.");
  const factors = await columnFactors(ctx);
  const tensors = new Map<string, StoredArray>([["columns", storedHalf([columns], factors)]]);
  const rest = Float64Array.from(data, (w, i) => w * (factors[i % columns] ?? NaN));
  const packed = { format: bitStack.name, rows, columns, settings: { parts }, tensors };
  for (let part = 0; part < parts; part++) {
    const magnitudes = { rows, columns, data: rest.map(Math.abs) };
    const { left, right } = await lowRank(ctx.linalg, magnitudes, rank);
    const signs = packBits(
      Uint8Array.from(rest, (r) => Number(r >= 0)),
      1,
    );
    tensors.set(`signs.${part}`, stored("uint8", [signs.length], signs));
    tensors.set(`left.${part}`, storedHalf([rows, left.columns], Float32Array.from(left.data)));
    tensors.set(`right.${part}`, storedHalf([right.rows, columns], Float32Array.from(right.data)));
    // What is left is measured from the factors as they are stored.
    const made = new Float32Array(rows * columns);
    addPart(packed, part, made);
    for (const [i, value] of made.entries()) rest[i] = (rest[i] ?? NaN) - value;
  }
  return packed;
}

/** Norms of the columns' inputs over their mean, as float16; 1 where inputs were always 0. */
async function columnFactors(ctx: QuantizeContext): Promise<Float32Array> {
  const { squares } = await ctx.columns();
  const norms = squares.map(Math.sqrt);
  const alive = norms.filter((norm) => norm > 0);
  const mean = alive.reduce((sum, norm) => sum + norm, 0) / Math.max(1, alive.length);
  return Float32Array.from(norms, (norm) => (norm > 0 ? halfScale(norm / mean) : 1));
}

/** The first `count` parts alone: a smaller model of the same matrix. */
export function firstParts(packed: PackedMatrix, count: number): PackedMatrix {
  const keep = (name: string) => {
    const part = Number(name.split(".")[1] ?? -1);
    return part < count;
  };
  return {
    ...packed,
    settings: { ...packed.settings, parts: count },
    tensors: new Map([...packed.tensors].filter(([name]) => keep(name))),
  };
}

/** Bytes of one part. */
function partBytes({ rows, columns }: MatrixShape, rank: number): number {
  return packedBytes(rows * columns, 1) + 2 * Math.min(rank, rows, columns) * (rows + columns);
}

function addPart(packed: PackedMatrix, part: number, into: Float32Array): void {
  const { rows, columns } = packed;
  const signs = unpackBits(bytesOf(packed, `signs.${part}`), 1, rows * columns);
  const left = floatsOf(arrayOf(packed, `left.${part}`));
  const right = floatsOf(arrayOf(packed, `right.${part}`));
  const rank = left.length / rows;
  if (right.length !== rank * columns) throw new RangeError(`Part ${part} has no one rank.`);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++)
        sum += (left[i * rank + k] ?? NaN) * (right[k * columns + j] ?? NaN);
      const at = i * columns + j;
      into[at] = (into[at] ?? NaN) + (signs[at] === 1 ? sum : -sum);
    }
}
