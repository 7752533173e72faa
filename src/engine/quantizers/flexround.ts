/**
 * @file FlexRound: weights divided by learned numbers before they are rounded, block by block against the float output.
 *
 * "FlexRound: Learnable Rounding based on Element-wise Division for Post-Training Quantization", Lee, Kim, Kwon, Lee,
 * 2023, https://arxiv.org/abs/2306.00317. W ≈ s₁ · round(W / (s₁ ∘ S₂ ∘ s₃)): S₂ for each weight, s₃ for each row, both 1 at
 * first, and the grid's step s₁ learned as well. All matrices of a layer at once; learned as logarithms, so that
 * they stay above 0, with gradients straight through the rounding. The state with the least error is stored: at
 * `steps: 0` plain rounding.
 */
import { int, number } from "../../shared/schema.ts";
import { adamSearch } from "./blocks/adam-search.ts";
import type { Grid } from "./blocks/uniform-grid.ts";
import { decodeGrid, fitGrid, groupsOf, roundEven } from "./blocks/uniform-grid.ts";
import type { SiteMatrix } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import type { GridMatrix } from "./formats/grid.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";
import { halfScale } from "./half.ts";
import { invariant } from "../../shared/errors.ts";

export const flexround = defineQuantizer({
  name: "flexround",
  title: "FlexRound",
  doc: "Learns what each weight is divided by before it is rounded, by gradients of the error of its layer's output.",
  equation:
    "Ŵ = s₁ round(W / (s₁ ∘ S₂ ∘ s₃)), s₁, S₂ and s₃ learned on ‖f(X; W) − f(X; Ŵ)‖² of each layer",
  use: "Choose it where few bits must stay good and a calibration of many steps is no matter.",
  paperTitle:
    "FlexRound: Learnable Rounding based on Element-wise Division for Post-Training Quantization",
  paper: "https://arxiv.org/abs/2306.00317",
  axes: { B: "integers of 2 to 8 bits, rounding learned by layer" },
  config: {
    ...gridFields,
    steps: int({ default: 200, min: 0, doc: "Steps of Adam for each layer." }),
    learning_rate: number({ default: 0.003, above: 0, doc: "Of the logarithms that are learned." }),
  },
  needs: ({ steps }) => (steps > 0 ? ["block"] : []),
  formats: [grid],
  storedBytes: (config, shape) => bytesOfGrid(config, shape),
  async layer(config, layer) {
    const sites = layer.matrices().map((matrix) => {
      const start = fitGrid(matrix, gridOptions(config));
      return flexible(matrix, start, config.scales === "float16" ? halfScale : Math.fround);
    });
    const best = new Map<string, GridMatrix>();
    const keep = () => {
      for (const site of sites) best.set(site.module, site.made());
    };
    if (config.steps === 0) {
      for (const site of sites) site.values();
      keep();
    } else {
      let measured = 0;
      await adamSearch(
        sites.flatMap(({ numbers }) => numbers),
        async () => {
          layer.looked(measured++ / (config.steps + 1));
          const replaced = new Map(sites.map(({ module, values }) => [module, values()]));
          const { error, gradients } = await layer.gradients(replaced);
          const of = (module: string) => {
            const found = gradients.get(module);
            invariant(found, `${module} has no gradient`);
            return found;
          };
          return {
            loss: error,
            gradients: sites.flatMap(({ module, backward }) => backward(of(module))),
          };
        },
        keep,
        { steps: config.steps, learningRate: config.learning_rate },
      );
    }
    return ({ module }) => {
      const made = best.get(module);
      if (!made)
        return Promise.reject(new RangeError(`The error of the layer of ${module} is no number.`));
      return Promise.resolve(packGrid(made, gridStorage(config)));
    };
  },
});

/** The numbers of one matrix, its rounded values under them, and the way of gradients back. */
export function flexible(matrix: SiteMatrix, start: Grid, round: (scale: number) => number) {
  const { module, rows, columns, data } = matrix;
  const { group, perRow } = groupsOf(start, start.granularity);
  const groupOf = (i: number) =>
    start.granularity === "tensor"
      ? 0
      : Math.floor(i / columns) * perRow + Math.floor((i % columns) / group);
  const top = 2 ** start.bits - 1;
  // Logarithms: of s₁ over the grid's own step, of S₂ and of s₃.
  const steps = new Float32Array(start.scales.length);
  const each = new Float32Array(data.length);
  const row = new Float32Array(rows);
  let scales = start.scales.slice();
  const codes = new Uint8Array(data.length);
  /** What is rounded, W / (s₁ S₂ s₃), as `values` last had it: exponentials are most of a step's time here. */
  const quotients = new Float32Array(data.length);
  const made = (): GridMatrix => ({
    grid: { ...start, scales: scales.slice() },
    codes: codes.slice(),
  });
  return {
    module,
    numbers: [steps, each, row],
    made,
    values: (): Float32Array => {
      scales = start.scales.map((scale, g) => round(scale * Math.exp(steps[g] ?? NaN)));
      for (let i = 0; i < codes.length; i++) {
        const g = groupOf(i);
        const by = Math.exp((each[i] ?? NaN) + (row[Math.floor(i / columns)] ?? NaN));
        const u = Math.fround(Math.fround((data[i] ?? NaN) / by) / (scales[g] ?? NaN));
        quotients[i] = u;
        codes[i] = Math.min(Math.max(roundEven(u) + (start.zeros[g] ?? NaN), 0), top);
      }
      return decodeGrid(codes, { ...start, scales });
    },
    /** Gradients by the logarithms, of gradients by the values, which were asked for before. */
    backward: (gradient: Float32Array): readonly Float32Array[] => {
      const by = [steps, each, row].map(({ length }) => new Float32Array(length));
      const [bySteps = steps, byEach = each, byRow = row] = by;
      for (let i = 0; i < codes.length; i++) {
        const g = groupOf(i);
        const zero = start.zeros[g] ?? NaN;
        const lead = (gradient[i] ?? NaN) * (scales[g] ?? NaN);
        const u = quotients[i] ?? NaN;
        const level = (codes[i] ?? NaN) - zero;
        const within = roundEven(u) === level;
        bySteps[g] = (bySteps[g] ?? NaN) + lead * (within ? level - u : level);
        if (!within) continue;
        byEach[i] = -lead * u;
        const at = Math.floor(i / columns);
        byRow[at] = (byRow[at] ?? NaN) - lead * u;
      }
      return by;
    },
  };
}
