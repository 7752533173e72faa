/** @file Scales by groups of columns during a sweep: fitted once before it, or as it reaches a group. */
import type { Data, Matrix } from "../../../../kernels/linalg/matrix.ts";
import type { ColumnQuantizer } from "./hessian-solver.ts";
import { groupsOf, type Granularity } from "./uniform-grid.ts";

export interface ColumnGroupOptions {
  readonly granularity: Granularity;
  /** Groups are fitted to the weights as given and lie where columns lie; otherwise to the corrected weights of neighbours in the sweep. */
  readonly staticGroups?: boolean;
  /** [in] 1 for columns that count as 0 when groups are fitted. */
  readonly dead?: Uint8Array;
}

/** A scale's work: `fit` is told the weights that share it, `code` and `value` go to a code and back. */
export interface GroupRounding {
  readonly fit: (values: Data, index: number) => void;
  readonly code: (value: number, index: number) => number;
  readonly value: (code: number, index: number) => number;
}

/** What is left of a sweep beside the scales. */
export interface ColumnCodes {
  readonly quantize: ColumnQuantizer;
  /** [out, in] The codes so far, columns where they were. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** [in] The group of each column: of its place in the sweep, or in the matrix for static groups. */
  readonly groupOf: Int32Array<ArrayBuffer>;
}

/**
 * A quantizer of the columns of `weights` [out, in] whose scale g of row i has the index
 * i · groupsPerRow + g (0 for `tensor`). Scales are fitted to the given weights first but where a sweep
 * fits them as it reaches a group.
 */
export function groupedColumns(
  weights: Matrix<Data>,
  { granularity, staticGroups = false, dead }: ColumnGroupOptions,
  rounding: GroupRounding,
): ColumnCodes {
  const { rows, columns } = weights;
  const shape = groupsOf(weights, granularity);
  const grouped = typeof granularity === "number";
  const refit = grouped && !staticGroups;
  const stride = granularity === "tensor" ? 0 : shape.perRow;
  const { group } = shape;

  // Groups that are fitted on the way need nothing before.
  if (!refit) {
    const seen = grouped && dead?.includes(1) === true ? without(weights, dead) : weights;
    for (let row = 0; row < shape.rows; row++)
      for (let g = 0; g < shape.perRow; g++) {
        const from = row * shape.columns + g * group;
        const to = Math.min(from + group, (row + 1) * shape.columns);
        rounding.fit(seen.data.subarray(from, to), row * shape.perRow + g);
      }
  }

  const codes = new Uint8Array(rows * columns);
  const groupOf = new Int32Array(columns);
  const quantize: ColumnQuantizer = ({ position, column, values, pending }, into) => {
    const g = grouped ? Math.floor((refit ? position : column) / group) : 0;
    groupOf[column] = g;
    if (refit && position % group === 0) {
      const count = Math.min(group, columns - position);
      const members = Array.from({ length: count }, (_, k) => pending(position + k));
      const one = new Float32Array(count);
      for (let i = 0; i < rows; i++) {
        for (let k = 0; k < count; k++) one[k] = members[k]?.[i] ?? NaN;
        rounding.fit(one, i * stride + g);
      }
    }
    for (let i = 0; i < rows; i++) {
      const code = rounding.code(values[i] ?? NaN, i * stride + g);
      codes[i * columns + column] = code;
      into[i] = rounding.value(code, i * stride + g);
    }
  };
  return { quantize, codes, groupOf };
}

function without({ rows, columns, data }: Matrix<Data>, dead: Uint8Array): Matrix<Data> {
  const kept = Float64Array.from(data, (value, i) => (dead[i % columns] === 1 ? 0 : value));
  return { rows, columns, data: kept };
}
