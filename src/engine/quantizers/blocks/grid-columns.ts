/** @file Column quantizers on uniform grids and code books, for the sweeps. */
import {
  checkFinite,
  checkShape,
  type Data,
  type Matrix,
} from "../../../../kernels/linalg/matrix.ts";
import { blockScale, inverseOf, type BlockOptions } from "./book-blocks.ts";
import { groupedColumns, type ColumnCodes, type ColumnGroupOptions } from "./column-groups.ts";
import { codeOf, groupsOf, stepFitter, type Grid, type GridOptions } from "./uniform-grid.ts";

export interface GridColumns extends ColumnCodes {
  /** Scales and zeros so far. Decode by {@link decodeColumns} where `groupOf` is not in order. */
  readonly grid: Grid;
}

export type GridColumnOptions = GridOptions & ColumnGroupOptions;

/** Columns on uniform grids. Grids by tensor and row are fitted once, as are static groups. */
export function gridColumns(weights: Matrix<Data>, options: GridColumnOptions): GridColumns {
  checkWeights(weights);
  const { granularity, bits } = options;
  const { rows, columns } = weights;
  const count = scaleCount(weights, options);
  const [scales, zeros] = [new Float32Array(count), new Uint8Array(count)];
  const fitted = stepFitter(options);
  const top = 2 ** bits - 1;
  const swept = groupedColumns(weights, options, {
    fit: (values, index) => {
      const { scale, zero } = fitted(values, index);
      scales[index] = scale;
      zeros[index] = zero;
    },
    code: (value, index) => codeOf(value, scales[index] ?? NaN, zeros[index] ?? NaN, top),
    value: (code, index) => Math.fround((scales[index] ?? NaN) * (code - (zeros[index] ?? NaN))),
  });
  return { ...swept, grid: { bits, rows, columns, granularity, scales, zeros } };
}

/** scale · (code − zero) in float32 with the group of each column given. */
export function decodeColumns(
  codes: Uint8Array,
  grid: Grid,
  groupOf: Int32Array,
): Float32Array<ArrayBuffer> {
  const { rows, columns } = grid;
  if (codes.length !== rows * columns || groupOf.length !== columns)
    throw new RangeError(`${codes.length} codes for ${rows} × ${columns} weights.`);
  const perRow = grid.granularity === "tensor" ? 0 : groupsOf(grid, grid.granularity).perRow;
  const values = new Float32Array(codes.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const index = i * perRow + (groupOf[j] ?? 0);
      const code = codes[i * columns + j] ?? NaN;
      values[i * columns + j] = (grid.scales[index] ?? NaN) * (code - (grid.zeros[index] ?? NaN));
    }
  return values;
}

export interface BookColumns extends ColumnCodes {
  /** [groups] */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Columns by code book, with the scales of {@link blockScale}; nested scales are not made here. */
export function bookColumns(
  weights: Matrix<Data>,
  options: Omit<BlockOptions, "nested"> & ColumnGroupOptions,
): BookColumns {
  checkWeights(weights);
  const { book } = options;
  const scales = new Float32Array(scaleCount(weights, options));
  const inverses = new Float32Array(scales.length);
  const swept = groupedColumns(weights, options, {
    fit: (values, index) => {
      const scale = blockScale(values, options);
      scales[index] = scale;
      inverses[index] = inverseOf(scale);
    },
    code: (value, index) => book.nearest(Math.fround(value * (inverses[index] ?? NaN))),
    value: (code, index) => Math.fround((book.values[code] ?? NaN) * (scales[index] ?? NaN)),
  });
  return { ...swept, scales };
}

function scaleCount(weights: Matrix<Data>, { granularity }: ColumnGroupOptions): number {
  const { rows, perRow } = groupsOf(weights, granularity);
  return rows * perRow;
}

function checkWeights(weights: Matrix<Data>): void {
  checkShape("Weights", weights);
  checkFinite("Weights", weights);
}
