/** @file Column quantizers on uniform grids: what the sweeps ask for each column, and the codes that they leave. */
import type { Data, Matrix } from "../../../../kernels/linalg/matrix.ts";
import type { ColumnQuantizer } from "./hessian-solver.ts";
import {
  codeOf,
  fitGrid,
  groupsOf,
  stepFitter,
  type Grid,
  type GridOptions,
} from "./uniform-grid.ts";

export interface GridColumns {
  readonly quantize: ColumnQuantizer;
  /** [out, in] The codes so far, columns where they were. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** Scales and zeros so far. Decode by {@link decodeColumns} where `groupOf` is not in order. */
  readonly grid: Grid;
  /** [in] The group of each column: of its place in the sweep, or in the matrix for static groups. */
  readonly groupOf: Int32Array<ArrayBuffer>;
}

export interface GridColumnOptions extends GridOptions {
  /** Grids of groups are fitted to the weights as given and lie where columns lie; otherwise to the corrected weights of neighbours in the sweep. */
  readonly staticGroups?: boolean;
  /** [in] 1 for columns that count as 0 when groups are fitted. */
  readonly dead?: Uint8Array;
}

/**
 * A quantizer of the columns of `weights` [out, in]. Grids by tensor and row are fitted once, as are
 * static groups; other groups when the sweep reaches their first column.
 */
export function gridColumns(weights: Matrix<Data>, options: GridColumnOptions): GridColumns {
  const { rows, columns } = weights;
  const { granularity, bits, staticGroups = false, dead } = options;
  const { group, perRow } = groupsOf(weights, granularity);
  const grouped = typeof granularity === "number";
  const refit = grouped && !staticGroups;
  const grid = fitGrid(grouped && dead !== undefined ? without(weights, dead) : weights, options);
  const fit = stepFitter(options);
  const codes = new Uint8Array(rows * columns);
  const groupOf = new Int32Array(columns);
  const top = 2 ** bits - 1;
  const stride = granularity === "tensor" ? 0 : perRow;

  const quantize: ColumnQuantizer = ({ position, column, values, pending }, into) => {
    const g = grouped ? Math.floor((refit ? position : column) / group) : 0;
    groupOf[column] = g;
    if (refit && position % group === 0) {
      const members = Array.from({ length: Math.min(group, columns - position) }, (_, k) =>
        pending(position + k),
      );
      const one = new Float32Array(members.length);
      for (let i = 0; i < rows; i++) {
        for (const [k, member] of members.entries()) one[k] = member[i] ?? NaN;
        const { scale, zero } = fit(one, i * perRow + g);
        grid.scales[i * perRow + g] = scale;
        grid.zeros[i * perRow + g] = zero;
      }
    }
    for (let i = 0; i < rows; i++) {
      const scale = grid.scales[i * stride + g] ?? NaN;
      const zero = grid.zeros[i * stride + g] ?? NaN;
      const code = codeOf(values[i] ?? NaN, scale, zero, top);
      codes[i * columns + column] = code;
      into[i] = Math.fround(scale * (code - zero));
    }
  };
  return { quantize, codes, grid, groupOf };
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

function without({ rows, columns, data }: Matrix<Data>, dead: Uint8Array): Matrix<Data> {
  const kept = Float64Array.from(data, (value, i) => (dead[i % columns] === 1 ? 0 : value));
  return { rows, columns, data: kept };
}
