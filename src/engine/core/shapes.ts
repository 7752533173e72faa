/** @file What operators ask of their operands' shapes and dtypes; a misfit is named with the operator and both shapes. */
import type { Shape } from "../../shared/dtypes.ts";
import { InternalError, at, invariant } from "../../shared/errors.ts";
import type { OpName, Value } from "./graph.ts";

/** The NumPy broadcast of two shapes. */
export function broadcast(op: OpName, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) misfit(op, "do not broadcast", a, b);
    return Math.max(x, y);
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Rows and columns of the matrices in the last two axes, as they are or transposed. */
export function lastTwo(shape: Shape, transposed: boolean): readonly [number, number] {
  const rows = at(shape, shape.length - 2);
  const columns = at(shape, shape.length - 1);
  return transposed ? [columns, rows] : [rows, columns];
}

export function needIndices(op: OpName, indices: Value): void {
  invariant(indices.dtype === "int32", `${op} needs int32 indices, not ${indices.dtype}`);
}

export function sameDType(op: OpName, a: Value, b: Value): void {
  if (a.dtype !== b.dtype)
    throw new InternalError(`${op}: dtypes ${a.dtype} and ${b.dtype} differ`);
}

export function misfit(op: OpName, what: string, a: Shape, b: Shape): never {
  throw new InternalError(`${op}: shapes [${a.join(", ")}] and [${b.join(", ")}]: ${what}`);
}
