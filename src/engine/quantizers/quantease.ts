/**
 * @file QuantEase: columns moved in turn to the best point of their grids while the others stay, pass after pass.
 *
 * "QuantEase: Optimization-based Quantization for Language Models", Behdin, Acharya, Gupta, Song, Zhu, Keerthi,
 * Mazumder, 2023, https://arxiv.org/abs/2309.01885. Grids are fitted once. Where the descent ends above plain
 * rounding on the same grids, that is stored. With `outliers` a share of the weights is kept in float16 beside the
 * grid, chosen anew after each pass by hard thresholding; passes then round every column.
 */
import type { Data, Matrix } from "../../../kernels/linalg/matrix.ts";
import { bool, int, oneOf, share } from "../../shared/schema.ts";
import { descendColumns } from "./blocks/coordinate-descent.ts";
import { gridColumns } from "./blocks/grid-columns.ts";
import { hardThreshold, largestEigenvalue } from "./blocks/hard-threshold.ts";
import { factorHessian, proxyError, sweepColumns } from "./blocks/hessian-solver.ts";
import { splitBySaliency } from "./blocks/saliency-split.ts";
import { decodeGrid, encodeGrid } from "./blocks/uniform-grid.ts";
import type { QuantizeContext } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { kept, keptBytes, keptCount, packKept } from "./formats/kept.ts";
import type { GridConfig } from "./grid-fields.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";

export const quantease = defineQuantizer({
  name: "quantease",
  title: "QuantEase",
  doc: "Moves one column after the other to the best point of its grid by the inputs' second moments, in many passes.",
  equation:
    "ŵ_j ← round(ŵ_j + ((W − Ŵ) Σ)_j / Σ_jj) on its grid, for each column j in turn, Σ = Xᵀ X",
  use: "Choose it where GPTQ's error is still too large: many passes in place of one, and outliers can be kept.",
  paperTitle: "QuantEase: Optimization-based Quantization for Language Models",
  paper: "https://arxiv.org/abs/2309.01885",
  axes: { B: "integers of 2 to 8 bits, by coordinate descent" },
  config: {
    ...gridFields,
    passes: int({ default: 30, min: 1, doc: "Times that every column is visited." }),
    relax: bool({
      default: true,
      doc: "Leave columns unrounded in every third pass below 25.",
    }),
    start: oneOf(
      { weights: "The weights as they are.", gptq: "What GPTQ makes of them on the same grids." },
      { default: "weights", doc: "Where the descent starts." },
    ),
    act_order: bool({ default: true, doc: "Take columns with the largest inputs first." }),
    outliers: share({
      default: 0,
      below: 1,
      doc: "Share of the weights kept in float16 beside the grid.",
    }),
  },
  needs: () => ["moments"],
  formats: [grid, kept],
  storedBytes: (config, shape) => {
    const count = keptCount(shape, config.outliers);
    return bytesOfGrid(config, shape) + (count === 0 ? 0 : keptBytes(shape, count, "float16"));
  },
  async quantize(config, { rows, columns, data }, ctx) {
    const weights = { rows, columns, data };
    const { matrix: sigma } = await ctx.moments();
    const problem = { config, sigma, ctx, order: orderOf(sigma, config.act_order) };
    if (keptCount(weights, config.outliers) > 0) return withOutliers(problem, weights);
    const { codes, of } = await descended(problem, weights, weights, {
      passes: config.passes,
      relax: config.relax,
      fromGptq: config.start === "gptq",
    });
    return packGrid({ grid: of, codes }, gridStorage(config));
  },
});

interface Problem {
  readonly config: GridConfig & { readonly passes: number; readonly outliers: number };
  readonly sigma: Matrix;
  readonly ctx: QuantizeContext;
  readonly order: Int32Array;
}

/** Codes for `target` on the grids of `fitted`, no worse than each rounded alone. */
async function descended(
  { config, sigma, ctx, order }: Problem,
  target: Matrix<Data>,
  fitted: Matrix<Data>,
  how: {
    readonly passes: number;
    readonly relax: boolean;
    readonly fromGptq: boolean;
    readonly start?: Matrix<Data>;
  },
) {
  const options = { ...gridOptions(config), staticGroups: true };
  const columns = () => gridColumns(fitted, options);
  const swept = columns();
  let start = how.start;
  if (how.fromGptq) {
    const factor = await factorHessian(ctx.linalg, sigma, { actOrder: true });
    start = (await sweepColumns(ctx.linalg, target, factor, columns().quantize)).values;
  }
  const { passes, relax } = how;
  const from = start === undefined ? {} : { start };
  const found = await descendColumns(ctx.linalg, target, sigma, swept.quantize, {
    passes,
    relax,
    order,
    ...from,
  });
  const { grid: of, codes } = swept;
  const plain = encodeGrid(target, of);
  const values = { rows: target.rows, columns: target.columns, data: decodeGrid(plain, of) };
  const bar = await proxyError(ctx.linalg, target, values, sigma);
  const better = (found.objectives.at(-1) ?? Infinity) <= bar;
  return { of, codes: better ? codes : plain };
}

async function withOutliers(problem: Problem, weights: Matrix<Float32Array>) {
  const { config, sigma, ctx } = problem;
  const { rows, columns, data } = weights;
  const shape = { rows, columns };
  const largest = largestEigenvalue(sigma);
  const first = splitBySaliency(shape, data.map(Math.abs), config.outliers);
  // Grids span what is left when the largest magnitudes are taken out; 0 is always within a grid.
  const rest = { ...shape, data: data.map((w, i) => (first.mask[i] === 1 ? 0 : w)) };
  let sparse = Float64Array.from(data, (w, i) => (first.mask[i] === 1 ? w : 0));
  let found: Awaited<ReturnType<typeof descended>> | undefined;
  let values = rest.data;
  for (let pass = 0; pass < config.passes; pass++) {
    const target = { ...shape, data: Float64Array.from(data, (w, i) => w - (sparse[i] ?? NaN)) };
    const how = { passes: 1, relax: false, fromGptq: false };
    const start = { ...shape, data: values };
    found = await descended(problem, target, rest, pass === 0 ? how : { ...how, start });
    values = decodeGrid(found.codes, found.of);
    const left = { ...shape, data: Float64Array.from(data, (w, i) => w - (values[i] ?? NaN)) };
    sparse = await hardThreshold(
      ctx.linalg,
      left,
      sparse,
      { matrix: sigma, largest },
      config.outliers,
    );
  }
  if (!found) throw new RangeError("QuantEase takes at least one pass.");
  const { chosen } = splitBySaliency(shape, sparse.map(Math.abs), config.outliers);
  const base = packGrid({ grid: found.of, codes: found.codes }, gridStorage(config));
  const held = Float32Array.from(chosen, (at) => (values[at] ?? NaN) + (sparse[at] ?? NaN));
  return packKept(base, chosen, held, "float16");
}

function orderOf({ rows: n, data }: Matrix, actOrder: boolean): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const own = (i: number) => data[i * n + i] ?? NaN;
  return actOrder ? order.sort((a, b) => own(b) - own(a)) : order;
}
