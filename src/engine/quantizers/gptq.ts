/**
 * @file GPTQ: columns rounded one after the other, each error made up for by the columns that are left.
 *
 * "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", Frantar, Ashkboos,
 * Hoefler, Alistarh, 2022, https://arxiv.org/abs/2210.17323; steps and defaults of its official code, with
 * which codes agree to the last one where scales are kept in float32 (`blocks/README.md`).
 */
import type { Infer } from "../../shared/schema.ts";
import { bool, int, number } from "../../shared/schema.ts";
import { gridColumns } from "./blocks/grid-columns.ts";
import { sweepColumns } from "./blocks/hessian-solver.ts";
import type { MatrixShape, QuantizeContext, SiteMatrix } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";
import type { PackedMatrix } from "./packed.ts";

/** Of quantizers that sweep the columns of a grid. */
export const columnFields = {
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
  true_sequential: bool({
    default: false,
    doc: "Gather inputs again within a layer, for matrices that read what others of it give quantized: three passes more.",
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
} as const;

type ColumnConfig = Infer<typeof columnFields>;

export const gptq = defineQuantizer({
  name: "gptq",
  title: "GPTQ",
  doc: "Rounds a matrix column by column and lets the columns that are left make up for each error, by the inputs' second moments.",
  equation:
    "column by column of min ‖X Wᵀ − X Ŵᵀ‖²: w_k ← w_k − (w_j − ŵ_j) U_jk / U_jj for k > j, Uᵀ U = (Xᵀ X + λ I)⁻¹",
  use: "Choose it for 3 or 4 bits where some text of the model's kind is at hand: better than rounding for one pass over it.",
  paperTitle: "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
  paper: "https://arxiv.org/abs/2210.17323",
  axes: { B: "integers of 2 to 8 bits, errors carried on" },
  evidence: "reference",
  config: columnFields,
  needs: () => ["moments"],
  sequential: ({ true_sequential }) => true_sequential,
  formats: [grid],
  storedBytes: columnBytes,
  quantize: (config, matrix, ctx) => sweptGrid(config, matrix, ctx, false),
});

export function columnBytes(config: ColumnConfig, shape: MatrixShape): number {
  return bytesOfGrid(config, shape, reordered(config, shape.columns));
}

/** The sweep over the moments of a matrix's inputs, or of those times their tokens' weights. */
export async function sweptGrid(
  config: ColumnConfig,
  { rows, columns, data }: SiteMatrix,
  ctx: QuantizeContext,
  weighted: boolean,
): Promise<PackedMatrix> {
  const matrix = { rows, columns, data };
  const { act_order: actOrder, damping, block_size: blockSize } = config;
  const factor = await ctx.factor({ damping, actOrder, weighted });
  const swept = gridColumns(matrix, {
    ...gridOptions(config),
    staticGroups: config.static_groups,
    dead: factor.dead,
  });
  await sweepColumns(ctx.linalg, matrix, factor, swept.quantize, { blockSize });
  const { grid: fitted, codes, groupOf } = swept;
  const unordered = reordered(config, columns);
  return packGrid({ grid: fitted, codes, ...(unordered && { groupOf }) }, gridStorage(config));
}

/** Whether columns of a group lie apart. */
function reordered({ act_order, static_groups, group }: ColumnConfig, columns: number): boolean {
  return act_order && !static_groups && group > 0 && group < columns;
}
