/**
 * @file PB-LLM: most weights as a sign and two numbers for each row, the salient ones in 8 bits, within GPTQ's sweep.
 *
 * "PB-LLM: Partially Binarized Large Language Models", Yuan, Shang, Dong, 2023, https://arxiv.org/abs/2310.00034.
 * A binarized weight is m ± a with m the mean and a the mean distance from it of the row's binarized weights, which
 * is best for given signs; the official code counts the salient ones' zeros into both means. Salient weights are
 * chosen over the whole matrix, as there with groups of whole rows; their 8 bits span them alone, there all of a row. With `share: 1` this is 8 bits by rows.
 */
import type { Data, Matrix } from "../../../kernels/linalg/matrix.ts";
import { number, oneOf, share } from "../../shared/schema.ts";
import { mean } from "../../shared/sums.ts";
import { packBits, packedBytes, unpackBits } from "./blocks/bit-packing.ts";
import type { ColumnQuantizer } from "./blocks/hessian-solver.ts";
import { sweepColumns } from "./blocks/hessian-solver.ts";
import { splitBySaliency } from "./blocks/saliency-split.ts";
import { codeOf, stepFitter } from "./blocks/uniform-grid.ts";
import { defineQuantizer } from "./define.ts";
import { keptCount } from "./formats/kept.ts";
import { floatsOf, halfScale, nearestHalf, storedHalf } from "./half.ts";
import type { PackedFormat } from "./packed.ts";
import { arrayOf, bytesOf, stored } from "./packed.ts";

/**
 * `salient` uint8 [⌈rows · columns / 8⌉]: a bit for each weight; `signs` the same of the others, in order, `codes` uint8 of the
 * salient ones; float16 [rows] `mean` and `spread` of a row's signs, `scale` with uint8 `zero` of its codes.
 */
const partlyBinary: PackedFormat = {
  name: "partly_binary",
  expand(packed, into) {
    const { rows, columns } = packed;
    const salient = unpackBits(bytesOf(packed, "salient"), 1, rows * columns);
    const codes = bytesOf(packed, "codes");
    const signs = unpackBits(bytesOf(packed, "signs"), 1, rows * columns - codes.length);
    const floats = (name: string) => floatsOf(arrayOf(packed, name));
    const [mean, spread, scale] = [floats("mean"), floats("spread"), floats("scale")];
    const zero = bytesOf(packed, "zero");
    let [high, low] = [0, 0];
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        into[at] =
          salient[at] === 1
            ? (scale[row] ?? NaN) * ((codes[high++] ?? NaN) - (zero[row] ?? NaN))
            : (mean[row] ?? NaN) + (signs[low++] === 1 ? 1 : -1) * (spread[row] ?? NaN);
      }
    if (high !== codes.length) throw new RangeError(`${codes.length} codes for ${high} weights.`);
  },
};

export const pbLlm = defineQuantizer({
  name: "pb_llm",
  title: "PB-LLM",
  doc: "Binarizes most weights and holds the salient rest in 8 bits, errors carried on as in GPTQ.",
  equation:
    "ŵ = m ± a for most, 8 bits for the salient share, m and a of each row; errors carried on as by GPTQ",
  use: "Choose it to go below 3 bits a weight, where training afterwards makes up for the loss.",
  paperTitle: "PB-LLM: Partially Binarized Large Language Models",
  paper: "https://arxiv.org/abs/2310.00034",
  axes: { B: "signs with a share in 8 bits" },
  config: {
    share: share({ default: 0.1, doc: "Part of the weights held in 8 bits." }),
    by: oneOf(
      {
        magnitude: "Large weights.",
        hessian: "Weights that cost most where they are missed, by the inputs' second moments.",
      },
      { default: "magnitude", doc: "Which weights are salient.", aliases: ["salient_metric"] },
    ),
    damping: number({
      default: 0.01,
      min: 0,
      doc: "Added to the diagonal of the second moments, as a share of its mean.",
      aliases: ["percdamp"],
    }),
  },
  needs: () => ["moments"],
  formats: [partlyBinary],
  storedBytes: ({ share: part }, shape) => {
    const count = shape.rows * shape.columns;
    const salient = keptCount(shape, part);
    return packedBytes(count, 1) + packedBytes(count - salient, 1) + salient + 7 * shape.rows;
  },
  async quantize({ share: part, by, damping }, { rows, columns, data }, ctx) {
    const matrix = { rows, columns, data };
    const factor = await ctx.factor({ damping });
    const scores = scoresOf(matrix, by === "hessian" ? factor.U : undefined);
    const { chosen, mask } = splitBySaliency(matrix, scores, part);
    const swept = partlyBinaryColumns(matrix, mask);
    await sweepColumns(ctx.linalg, matrix, factor, swept.quantize);
    const others = swept.codes.filter((_, i) => mask[i] === 0);
    const { mean, spread, scale, zero } = swept;
    return {
      format: partlyBinary.name,
      rows,
      columns,
      settings: {},
      tensors: new Map([
        ["salient", bits(mask)],
        ["signs", bits(others)],
        [
          "codes",
          stored(
            "uint8",
            [chosen.length],
            swept.codes.filter((_, i) => mask[i] === 1),
          ),
        ],
        ["mean", storedHalf([rows], mean)],
        ["spread", storedHalf([rows], spread)],
        ["scale", storedHalf([rows], scale)],
        ["zero", stored("uint8", [rows], zero)],
      ]),
    };
  },
});

/** |w|, or (w / U_jj)²: what missing it would cost the sweep. */
export function scoresOf(
  { columns, data }: Matrix<Data>,
  U: Matrix | undefined,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(data, (w, i) => {
    const column = i % columns;
    return U ? (w / (U.data[column * columns + column] ?? NaN)) ** 2 : Math.abs(w);
  });
}

/** Rows' numbers come from the weights as given, codes from the corrected ones. */
function partlyBinaryColumns({ rows, columns, data }: Matrix<Data>, mask: Uint8Array) {
  const floats = () => new Float32Array(rows);
  const [mean, spread, scale] = [floats(), floats(), floats()];
  const zero = new Uint8Array(rows);
  const fit = stepFitter({ bits: 8, symmetric: false, roundScale: halfScale });
  for (let row = 0; row < rows; row++) {
    const own = Float32Array.from(data.subarray(row * columns, (row + 1) * columns));
    const low = own.filter((_, j) => mask[row * columns + j] === 0);
    const middle = nearestHalf(meanOf(low));
    mean[row] = middle;
    spread[row] = nearestHalf(meanOf(low.map((w) => Math.abs(w - middle))));
    const step = fit(
      own.filter((_, j) => mask[row * columns + j] === 1),
      row,
    );
    scale[row] = step.scale;
    zero[row] = step.zero;
  }
  const codes = new Uint8Array(rows * columns);
  const quantize: ColumnQuantizer = ({ column, values }, into) => {
    for (let row = 0; row < rows; row++) {
      const at = row * columns + column;
      const value = values[row] ?? NaN;
      const [s, z] = [scale[row] ?? NaN, zero[row] ?? NaN];
      const [m, a] = [mean[row] ?? NaN, spread[row] ?? NaN];
      const code = mask[at] === 1 ? codeOf(value, s, z, 255) : Number(value >= m);
      codes[at] = code;
      into[row] =
        mask[at] === 1 ? Math.fround(s * (code - z)) : Math.fround(code === 1 ? m + a : m - a);
    }
  };
  return { quantize, codes, mean, spread, scale, zero };
}

function meanOf(values: Float32Array): number {
  return values.length === 0 ? 0 : mean(values);
}

function bits(codes: Uint8Array) {
  const packed = packBits(codes, 1);
  return stored("uint8", [packed.length], packed);
}
