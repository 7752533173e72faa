/**
 * @file AdaDim: groups along the inputs or along the outputs, whichever disturbs the layer less.
 *
 * "Rethinking Channel Dimensions to Isolate Outliers for Low-bit Weight Quantization of Large Language Models", Heo,
 * Kim, Kwon, Kim, Kwon, Lee, 2023, https://arxiv.org/abs/2309.15531. Each matrix is rounded both ways while the others are as
 * they are, and takes the way with the less error of the attention's or the MLP's output; with `rounding: gptq` the sweep then runs in
 * that direction, an input column in groups of its outputs.
 */
import type { Data, Matrix } from "../../../kernels/linalg/matrix.ts";
import { number, oneOf } from "../../shared/schema.ts";
import { gridColumns } from "./blocks/grid-columns.ts";
import type { ColumnQuantizer } from "./blocks/hessian-solver.ts";
import { sweepColumns } from "./blocks/hessian-solver.ts";
import type { GridOptions } from "./blocks/uniform-grid.ts";
import {
  codeOf,
  decodeGrid,
  encodeGrid,
  fitGrid,
  groupsOf,
  stepFitter,
} from "./blocks/uniform-grid.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";
import type { PackedFormat, PackedMatrix } from "./packed.ts";

/** Where groups run along the outputs: the grid of the transposed matrix. */
const turnedGrid: PackedFormat = {
  name: "turned_grid",
  expand(packed, into) {
    const { rows, columns } = packed;
    const other = new Float32Array(into.length);
    grid.expand({ ...packed, format: grid.name, rows: columns, columns: rows }, other);
    into.set(transposed({ rows: columns, columns: rows, data: other }).data);
  },
};

export const adadim = defineQuantizer({
  name: "adadim",
  title: "AdaDim",
  doc: "Groups each matrix along its inputs or along its outputs, by the error of the layer's output.",
  equation:
    "ŵ = s (q − z), groups along the inputs or along the outputs: what changes the layer's output less",
  use: "Choose it where whole input channels are outliers, which groups along the inputs cannot keep to themselves.",
  paperTitle:
    "Rethinking Channel Dimensions to Isolate Outliers for Low-bit Weight Quantization of Large Language Models",
  paper: "https://arxiv.org/abs/2309.15531",
  axes: { B: "integers of 2 to 8 bits, groups in either direction" },
  config: {
    ...gridFields,
    rounding: oneOf(
      {
        nearest: "Each weight alone.",
        gptq: "Column by column, the columns that are left making up for each error.",
      },
      { default: "nearest", doc: "How weights are rounded." },
    ),
    damping: number({
      default: 0.01,
      min: 0,
      doc: "Of `gptq`: added to the diagonal of the second moments, as a share of its mean.",
    }),
  },
  needs: ({ rounding }) => (rounding === "gptq" ? ["moments"] : []),
  formats: [grid, turnedGrid],
  // The larger way: how matrices lie is known from the data alone.
  storedBytes: (config, { rows, columns }) =>
    Math.max(
      bytesOfGrid(config, { rows, columns }),
      bytesOfGrid(config, { rows: columns, columns: rows }),
    ),
  async layer(config, layer) {
    const options = gridOptions(config);
    const turned = new Set<string>();
    const matrices = layer.matrices();
    for (const [i, matrix] of matrices.entries()) {
      layer.looked(i / matrices.length);
      const [along, across] = [
        await layer.error(new Map([[matrix.module, rounded(matrix, options)]]), "part"),
        await layer.error(new Map([[matrix.module, roundedAcross(matrix, options)]]), "part"),
      ];
      if (across < along) turned.add(matrix.module);
    }
    return async (matrix, ctx) => {
      const across = turned.has(matrix.module);
      const own = across ? transposed(matrix) : matrix;
      if (config.rounding === "nearest") {
        const fitted = fitGrid(own, options);
        const packed = packGrid(
          { grid: fitted, codes: encodeGrid(own, fitted) },
          gridStorage(config),
        );
        return across ? turnedOver(packed) : packed;
      }
      const factor = await ctx.factor({ damping: config.damping });
      if (!across) {
        const swept = gridColumns(own, { ...options, dead: factor.dead });
        await sweepColumns(ctx.linalg, own, factor, swept.quantize);
        return packGrid({ grid: swept.grid, codes: swept.codes }, gridStorage(config));
      }
      const { quantize, made } = outputGroups(matrix, options);
      await sweepColumns(ctx.linalg, matrix, factor, quantize);
      return turnedOver(packGrid(made, gridStorage(config)));
    };
  },
});

function rounded(matrix: Matrix<Data>, options: GridOptions): Float32Array {
  const fitted = fitGrid(matrix, options);
  return decodeGrid(encodeGrid(matrix, fitted), fitted);
}

function roundedAcross(matrix: Matrix<Data>, options: GridOptions): Float32Array {
  const across = transposed(matrix);
  return transposed({ ...across, data: rounded(across, options) }).data;
}

/** A column quantizer whose groups are neighbours within a column: each is fitted to the corrected weights at its turn. */
function outputGroups({ rows, columns }: Matrix<Data>, options: GridOptions) {
  // Groups of the transposed matrix [columns, rows]; one in all is one for each column here.
  const granularity = options.granularity === "tensor" ? "row" : options.granularity;
  const { group, perRow } = groupsOf({ rows: columns, columns: rows }, granularity);
  const scales = new Float32Array(columns * perRow);
  const zeros = new Uint8Array(columns * perRow);
  const codes = new Uint8Array(rows * columns);
  const fit = stepFitter(options);
  const top = 2 ** options.bits - 1;
  const quantize: ColumnQuantizer = ({ column, values }, into) => {
    for (let g = 0; g < perRow; g++) {
      const [from, to] = [g * group, Math.min((g + 1) * group, rows)];
      const at = column * perRow + g;
      const { scale, zero } = fit(values.subarray(from, to), at);
      [scales[at], zeros[at]] = [scale, zero];
      for (let i = from; i < to; i++) {
        const code = codeOf(values[i] ?? NaN, scale, zero, top);
        codes[column * rows + i] = code;
        into[i] = Math.fround(scale * (code - zero));
      }
    }
  };
  const { bits } = options;
  const made = { grid: { bits, rows: columns, columns: rows, granularity, scales, zeros }, codes };
  return { quantize, made };
}

function turnedOver(packed: PackedMatrix): PackedMatrix {
  return { ...packed, format: turnedGrid.name, rows: packed.columns, columns: packed.rows };
}

function transposed({ rows, columns, data }: Matrix<Data>): Matrix<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j] ?? NaN;
  return { rows: columns, columns: rows, data: out };
}
