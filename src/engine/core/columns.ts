/** @file Operators that read or write columns of a matrix by number. */
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, Value } from "./graph.ts";
import { needIndices, sameShape } from "./shapes.ts";

const none = {} as const;

/** x [n, m] at columns [n, 1]: [n, 1]. */
export function pickColumn(g: Graph, x: Value, columns: Value): Value {
  needIndices("PickColumn", columns);
  return only(g.emit("PickColumn", [x, columns], none, [{ dtype: x.dtype, shape: columns.shape }]));
}

/** x [n, m] with updates [n, 1] added at columns [n, 1]. */
export function addColumn(g: Graph, x: Value, columns: Value, updates: Value): Value {
  needIndices("AddColumn", columns);
  return only(g.emit("AddColumn", [x, columns, updates], none, [x]));
}

/** Columns of x [n, m] at int32 indices [k]: [n, k]. */
export function gatherColumns(g: Graph, x: Value, indices: Value): Value {
  needIndices("GatherColumns", indices);
  const shape = [at(x.shape, 0), at(indices.shape, 0)];
  return only(g.emit("GatherColumns", [x, indices], none, [{ dtype: x.dtype, shape }]));
}

/** x [n, m] with updates [n, k] added to the columns named by indices [k]. */
export function scatterColumns(g: Graph, x: Value, indices: Value, updates: Value): Value {
  needIndices("ScatterColumns", indices);
  invariant(
    sameShape(updates.shape, [at(x.shape, 0), at(indices.shape, 0)]),
    `ScatterColumns: [${updates.shape.join()}] into [${x.shape.join()}]`,
  );
  return only(g.emit("ScatterColumns", [x, indices, updates], none, [x]));
}

function only(values: readonly Value[]): Value {
  return at(values, 0);
}
