/** @file The fields that quantizers on uniform grids share, and what they stand for. */
import type { Infer } from "../../shared/schema.ts";
import { bool, int, oneOf } from "../../shared/schema.ts";
import type { GridOptions } from "./blocks/uniform-grid.ts";
import type { MatrixShape } from "./context.ts";
import type { GridStorage } from "./formats/grid.ts";
import { granularityOf, gridBytes } from "./formats/grid.ts";
import { halfScale } from "./half.ts";

export const gridFields = {
  bits: int({
    default: 4,
    min: 2,
    max: 8,
    doc: "Bits of each weight's code.",
    aliases: ["w_bit"],
  }),
  group: int({
    default: 128,
    min: -1,
    doc: "Neighbouring inputs of an output that share a scale; −1 for all of them, 0 for the whole matrix.",
    aliases: ["group_size", "q_group_size"],
  }),
  symmetric: bool({
    default: false,
    doc: "Keep zero in the middle of the codes, and store no zeros.",
    aliases: ["sym"],
  }),
  range: oneOf(
    {
      "min-max": "From the least weight to the largest.",
      shrunk: "The share of that with the least error, 80 of them tried.",
    },
    { default: "min-max", doc: "Which weights the codes span." },
  ),
  scales: oneOf(
    {
      float16: "As other tools store them.",
      float32: "Exact; only Spectune's own layout can hold them.",
    },
    { default: "float16", doc: "How scales are stored." },
  ),
} as const;

export type GridConfig = Infer<typeof gridFields>;

export function gridOptions({ bits, symmetric, group, range, scales }: GridConfig): GridOptions {
  return {
    bits,
    symmetric,
    granularity: granularityOf(group),
    range: { kind: range },
    ...(scales === "float16" && { roundScale: halfScale }),
  };
}

export function gridStorage({ scales, symmetric }: GridConfig): GridStorage {
  return { scales, symmetric };
}

export function bytesOfGrid(config: GridConfig, shape: MatrixShape, unordered = false): number {
  const how = { bits: config.bits, granularity: granularityOf(config.group) };
  return gridBytes(shape, how, { ...gridStorage(config), unordered });
}
