/**
 * @file SmoothQuant+: one exponent for the whole model shares outliers of the inputs out to the weights before rounding.
 *
 * "SmoothQuant+: Accurate and Efficient 4-bit Post-Training Weight Quantization for LLM", Pan, Wang, Zheng, Li, Wang,
 * Feng, 2023, https://arxiv.org/abs/2312.03788. Each channel's factor is max|x|^alpha / max|w|^(1 − alpha). Without
 * `alpha` 0, 0.05 … 1 are tried over the model, whose errors already carry those of the layers before; unscaled
 * weights are tried too, which the paper does not.
 */
import { bool, share } from "../../shared/schema.ts";
import { columnTops, smoothFactors } from "./blocks/channel-scales.ts";
import { evenly } from "./blocks/line-search.ts";
import { encodeGrid, fitGrid } from "./blocks/uniform-grid.ts";
import { consumersOf } from "./chain-parts.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";

export const smoothquantPlus = defineQuantizer({
  name: "smoothquant_plus",
  title: "SmoothQuant+",
  doc: "Moves the size of large input channels into the weights by one exponent for the whole model, then rounds them.",
  equation:
    "Ŵ = round(W diag(s)) diag(s)⁻¹, s = max|x|^α / max|w|^(1 − α), one α for the whole model",
  use: "Choose it where a few input channels are far larger than the rest and one number should tell how far they are smoothed.",
  paperTitle:
    "SmoothQuant+: Accurate and Efficient 4-bit Post-Training Weight Quantization for LLM",
  paper: "https://arxiv.org/abs/2312.03788",
  axes: { B: "integers of 2 to 8 bits, channels scaled by one exponent" },
  config: {
    ...gridFields,
    smooth: bool({ default: true, doc: "Scale channels at all." }),
    alpha: share({
      default: null,
      doc: "The inputs' exponent; searched over the model where not given, a pass for each of 22 candidates.",
    }),
  },
  needs: ({ smooth }) => (smooth ? ["columns"] : []),
  formats: [grid],
  folds: true,
  storedBytes: (config, shape) => bytesOfGrid(config, shape),
  candidates: (config) =>
    !config.smooth || config.alpha !== null
      ? [config]
      : [
          { ...config, smooth: false },
          ...evenly(0, 0.05, 21).map((alpha) => ({ ...config, alpha: Math.min(1, alpha) })),
        ],
  async layer(config, layer) {
    if (config.smooth) {
      const found = await Promise.all(
        layer.chains.map(async (chain) => {
          const { absmax } = await layer.of(chain.consumers[0] ?? "").columns();
          const tops = columnTops(consumersOf(layer, chain));
          return [chain, smoothFactors(absmax, tops, config.alpha ?? 0.5)] as const;
        }),
      );
      for (const [chain, factors] of found) layer.scale(chain, factors);
    }
    return ({ rows, columns, data }) => {
      const matrix = { rows, columns, data };
      const fitted = fitGrid(matrix, gridOptions(config));
      const codes = encodeGrid(matrix, fitted);
      return Promise.resolve(packGrid({ grid: fitted, codes }, gridStorage(config)));
    };
  },
});
