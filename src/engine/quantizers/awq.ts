/**
 * @file AWQ: channels with large inputs made larger before rounding, in the norm or matrix before made smaller.
 *
 * "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration", Lin, Tang, Tang, Yang, Chen, Wang,
 * Xiao, Dang, Gan, Han, 2023, https://arxiv.org/abs/2306.00978; steps and defaults of its official code. All chains of
 * a layer are searched on the layer as it was; then all are folded, then every matrix but queries' and keys' is cut
 * (from 3 bits on these too, unlike there).
 * As there, where a norm feeds several matrices the output of the attention or the MLP is compared with what it was on
 * the same inputs: against the float stream's output, errors of earlier layers drown what factors do.
 */
import { bool, int } from "../../shared/schema.ts";
import { awqFactors, scaledColumns } from "./blocks/channel-scales.ts";
import { clipLimits } from "./blocks/clip-search.ts";
import { evenly, searchLine } from "./blocks/line-search.ts";
import type { GridOptions } from "./blocks/uniform-grid.ts";
import { cutWeights, decodeGrid, encodeGrid, fitGrid } from "./blocks/uniform-grid.ts";
import { chainError, consumersOf, sampleOf } from "./chain-parts.ts";
import type { Chain, LayerContext } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions } from "./grid-fields.ts";

const { bits, group, scales } = gridFields;

export const awq = defineQuantizer({
  name: "awq",
  title: "AWQ",
  doc: "Scales up the channels with large inputs before rounding and the layers before them down, as far as a search finds best.",
  equation:
    "Ŵ = round(W diag(s)) diag(s)⁻¹, s = mean|x|^a, a of least ‖X Wᵀ − X Ŵᵀ‖²; diag(s)⁻¹ folds into what is before",
  use: "Choose it for 4 bits from little data: it fits no weights to the calibration text, so that other text suffers less.",
  paperTitle: "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration",
  paper: "https://arxiv.org/abs/2306.00978",
  axes: { B: "integers of 2 to 8 bits, channels scaled by their inputs" },
  evidence: "reference",
  config: {
    bits,
    group,
    scales,
    ratios: int({
      default: 20,
      min: 1,
      doc: "Exponents tried for the factors, from 0 up; with one, nothing is scaled.",
    }),
    clip: bool({ default: true, doc: "Also search how far each group's range is cut." }),
    clip_queries: bool({
      default: null,
      doc: "Cut the matrices of queries and keys as well, which the official code leaves whole; from 3 bits on where not given.",
    }),
    clip_tokens: int({ default: 512, min: 1, doc: "Inputs on which cuts are compared." }),
  },
  needs: () => ["columns", "inputs"],
  formats: [grid],
  folds: true,
  storedBytes: (config, shape) => bytesOfGrid(full(config), shape),
  async layer(config, layer) {
    const options: GridOptions = { ...gridOptions(full(config)), rule: "awq" };
    const ratios = evenly(0, 1 / config.ratios, config.ratios);
    const found: (readonly [Chain, Float32Array])[] = [];
    for (const [i, chain] of layer.chains.entries()) {
      const tried = (share: number): void => {
        layer.looked((i + share) / layer.chains.length);
      };
      found.push([chain, await searchFactors(layer, chain, ratios, options, tried)]);
    }
    for (const [chain, factors] of found) layer.scale(chain, factors);
    return async ({ kind, rows, columns, data }, ctx) => {
      let matrix = { rows, columns, data };
      const whole = uncut.test(kind) && !(config.clip_queries ?? config.bits >= 3);
      if (config.clip && !whole && options.granularity !== "tensor") {
        const inputs = sampleOf(await ctx.inputs(), columns, config.clip_tokens);
        const limits = await clipLimits(ctx.linalg, matrix, inputs, options);
        matrix = cutWeights(matrix, options.granularity, limits);
      }
      const fitted = fitGrid(matrix, options);
      const codes = encodeGrid(matrix, fitted);
      return packGrid({ grid: fitted, codes }, { scales: config.scales, symmetric: false });
    };
  },
});

/**
 * Scores are products of two of these, so that the official code leaves them whole. Cut, they lose about an eighth
 * less at 3 and 4 bits and perplexity falls (`measured.md`); at 2 bits the errors halve, and perplexity rises.
 */
const uncut = /^(q_|k_|query|key|c_attn)/;

async function searchFactors(
  layer: LayerContext,
  chain: Chain,
  ratios: readonly number[],
  options: GridOptions,
  tried: (share: number) => void,
): Promise<Float32Array> {
  const consumers = consumersOf(layer, chain);
  const { magnitudes, rows } = await layer.of(chain.consumers[0] ?? "").columns();
  const means = magnitudes.map((sum) => sum / Math.max(1, rows));
  const { value } = await searchLine(ratios, (ratio, index) => {
    tried(index / ratios.length);
    const factors = awqFactors(means, ratio);
    return chainError(
      layer,
      chain,
      consumers.map((matrix) => {
        const scaled = scaledColumns(matrix, factors);
        const fitted = fitGrid(scaled, options);
        const values = { ...scaled, data: decodeGrid(encodeGrid(scaled, fitted), fitted) };
        return [matrix, scaledColumns(values, factors, "over").data];
      }),
    );
  });
  return awqFactors(means, value);
}

function full<C extends object>(config: C) {
  return { ...config, symmetric: false, range: "min-max" } as const;
}
