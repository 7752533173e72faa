/**
 * @file GPTQ: columns rounded one after the other, each error made up for by the columns that are left.
 *
 * "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", Frantar, Ashkboos,
 * Hoefler, Alistarh, 2022, https://arxiv.org/abs/2210.17323; steps and defaults of its official code, with
 * which codes agree to the last one where scales are kept in float32 (`blocks/README.md`).
 */
import { bool, int, number } from "../../shared/schema.ts";
import { gridColumns } from "./blocks/grid-columns.ts";
import { sweepColumns } from "./blocks/hessian-solver.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";

export const gptq = defineQuantizer({
  name: "gptq",
  title: "GPTQ",
  doc: "Rounds a matrix column by column and lets the columns that are left make up for each error, by the inputs' second moments.",
  paperTitle: "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
  paper: "https://arxiv.org/abs/2210.17323",
  axes: { B: "integers of 2 to 8 bits, errors carried on" },
  evidence: "reference",
  config: {
    ...gridFields,
    act_order: bool({
      default: false,
      doc: "Take columns with the largest inputs first.",
      aliases: ["desc_act"],
    }),
    static_groups: bool({
      default: false,
      doc: "Fit every group before the first column: groups then stay neighbours under act_order.",
    }),
    damping: number({
      default: 0.01,
      min: 0,
      doc: "Added to the diagonal of the second moments, as a share of its mean.",
      aliases: ["percdamp", "damp_percent"],
    }),
    block_size: int({
      default: 128,
      min: 1,
      doc: "Columns whose errors are carried on together; fewer take longer.",
    }),
  },
  needs: () => ["moments"],
  formats: [grid],
  storedBytes: (config, shape) => bytesOfGrid(config, shape, reordered(config, shape.columns)),
  async quantize(config, { rows, columns, data }, ctx) {
    const matrix = { rows, columns, data };
    const { act_order: actOrder, damping, block_size: blockSize } = config;
    const factor = await ctx.factor({ damping, actOrder });
    const swept = gridColumns(matrix, {
      ...gridOptions(config),
      staticGroups: config.static_groups,
      dead: factor.dead,
    });
    await sweepColumns(ctx.linalg, matrix, factor, swept.quantize, { blockSize });
    const { grid: fitted, codes, groupOf } = swept;
    const unordered = reordered(config, columns);
    return packGrid({ grid: fitted, codes, ...(unordered && { groupOf }) }, gridStorage(config));
  },
});

/** Whether columns of a group lie apart. */
function reordered(
  {
    act_order,
    static_groups,
    group,
  }: { readonly [Field in "act_order" | "static_groups"]: boolean } & {
    readonly group: number;
  },
  columns: number,
): boolean {
  return act_order && !static_groups && group > 0 && group < columns;
}
