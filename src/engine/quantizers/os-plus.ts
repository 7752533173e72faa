/**
 * @file OS+: input channels moved to their middles and shrunk by a threshold that rounding of both operands asks for.
 *
 * "Outlier Suppression+: Accurate quantization of large language models by equivalent and optimal shifting and scaling", Wei,
 * Zhang, Li, Zhang, Gong, Guo, Liu, 2023, https://arxiv.org/abs/2304.09145. Where norms and what they feed have biases,
 * (max + min) / 2 of each channel moves into these; then factors max(1, max / t, min / −t) with the t of least error
 * of the consumers' outputs, weights and inputs both rounded (inputs by one static span). Weights are stored so;
 * where the model runs each token's inputs are rounded by a span of their own, as the paper does for language models:
 * simulated, and no speed is claimed. Static spans, which the paper takes for BERT, serve integer kernels that there
 * are none of here, and round no better: they are left out.
 */
import { bool, int } from "../../shared/schema.ts";
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { scaledColumns, thresholdFactors } from "./blocks/channel-scales.ts";
import { searchLine } from "./blocks/line-search.ts";
import type { GridOptions } from "./blocks/uniform-grid.ts";
import { decodeGrid, encodeGrid, fitGrid } from "./blocks/uniform-grid.ts";
import { consumersOf, sampleOf } from "./chain-parts.ts";
import type { Chain, LayerContext } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";
import { inputBits, integerInputs } from "./input-fields.ts";

export const osPlus = defineQuantizer({
  name: "os_plus",
  title: "OS+",
  doc: "Centres and shrinks input channels behind norms until rounding weights and inputs together costs least; inputs are rounded in simulation.",
  equation:
    "x' = (x − z) / s, W' = round(W diag(s)), b' = b + W z; z = (max + min) / 2, s = max(1, max / t, min / −t)",
  use: "Choose it to see what rounding weights and inputs together costs, where inputs lie far from 0.",
  paperTitle:
    "Outlier Suppression+: Accurate quantization of large language models by equivalent and optimal shifting and scaling",
  paper: "https://arxiv.org/abs/2304.09145",
  axes: { B: "integers of 2 to 8 bits, channels shifted and scaled" },
  config: {
    ...gridFields,
    input_bits: inputBits,
    shift: bool({ default: true, doc: "Move channels to their middles where biases allow it." }),
    thresholds: int({
      default: 100,
      min: 0,
      doc: "Thresholds tried, from the largest input down to 1; 0 to scale nothing.",
    }),
  },
  needs: () => ["columns", "inputs"],
  formats: [grid],
  folds: true,
  inputs: ({ input_bits: bits }) => integerInputs(bits, false),
  storedBytes: (config, shape) => bytesOfGrid(config, shape),
  async layer(config, layer) {
    const options = gridOptions(config);
    for (const [i, chain] of layer.chains.entries()) {
      if (chain.producer.kind !== "norm") continue;
      const first = chain.consumers[0] ?? "";
      if (config.shift && chain.shifts) {
        const { low, high } = await layer.of(first).columns();
        layer.shift(
          chain,
          low.map((least, j) => ((high[j] ?? NaN) + least) / 2),
        );
      }
      const { low, high } = await layer.of(first).columns();
      const thresholds = thresholdsOf(low, high, config.thresholds);
      if (thresholds.length === 0) continue;
      const judge = await judgeOf(layer, chain, options, config.input_bits);
      const { value } = await searchLine(thresholds, (t, tried) => {
        layer.looked((i + tried / thresholds.length) / layer.chains.length);
        return judge(thresholdFactors(low, high, t));
      });
      layer.scale(chain, thresholdFactors(low, high, value));
    }
    return ({ rows, columns, data }) => {
      const matrix = { rows, columns, data };
      const fitted = fitGrid(matrix, options);
      const codes = encodeGrid(matrix, fitted);
      return Promise.resolve(packGrid({ grid: fitted, codes }, gridStorage(config)));
    };
  },
});

/** From the largest magnitude (where every factor is 1) evenly down to 1, or to a hundredth of one that is smaller. */
function thresholdsOf(low: Float32Array, high: Float32Array, count: number): readonly number[] {
  const top = low.reduce((most, least, j) => Math.max(most, -least, high[j] ?? NaN), 0);
  if (!(top > 0)) return [];
  const least = top > 1 ? 1 : top / 100;
  return Array.from({ length: count }, (_, i) => top - ((top - least) * i) / count);
}

/** The squared error of the consumers' outputs with weights and inputs rounded under factors. */
async function judgeOf(
  layer: LayerContext,
  chain: Chain,
  options: GridOptions,
  bits: number,
): Promise<(factors: Float32Array) => Promise<number>> {
  const consumers = consumersOf(layer, chain);
  const { linalg } = layer;
  const sample = sampleOf(await layer.of(chain.consumers[0] ?? "").inputs(), chain.width);
  const wanted: Float32Array[] = [];
  for (const matrix of consumers) wanted.push(await outputs(linalg, sample, matrix));
  return async (factors) => {
    const scaled = scaledColumns(sample, factors, "over");
    const whole = { bits, symmetric: false, granularity: "tensor" } as const;
    const x = bits < 16 ? rounded(scaled, whole) : scaled;
    let sum = 0;
    for (const [i, matrix] of consumers.entries()) {
      const y = await outputs(linalg, x, rounded(scaledColumns(matrix, factors), options));
      const before = wanted[i] ?? y;
      for (let k = 0; k < y.length; k++) sum += ((y[k] ?? NaN) - (before[k] ?? NaN)) ** 2;
    }
    return sum;
  };
}

type Single = ReturnType<typeof sampleOf>;

function rounded(matrix: Single, options: GridOptions): Single {
  const fitted = fitGrid(matrix, options);
  return { ...matrix, data: decodeGrid(encodeGrid(matrix, fitted), fitted) };
}

async function outputs(linalg: Linalg, x: Single, { rows, columns, data }: Single) {
  const weights = { rows, columns, data };
  return (await linalg.multiply<Float32Array>(x, weights, { transposeB: true })).data;
}
