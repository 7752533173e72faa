/** @file The operators as functions: each checks its operands, infers the result's shape, and adds one node. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { ConstantData, Graph, Value } from "./graph.ts";
import { broadcast, lastTwo, misfit, needIndices, sameDType, sameShape } from "./shapes.ts";

const none = {} as const;

/** A constant tensor. */
export function constant(g: Graph, dtype: DType, shape: Shape, data: ConstantData): Value {
  invariant(
    data.length === elementCount(shape),
    `a constant of ${data.length} elements cannot have shape [${shape.join()}]`,
  );
  return one(g.emit("Constant", [], { data }, [{ dtype, shape }]));
}

/** A float32 constant of no dimensions. */
export function scalar(g: Graph, value: number): Value {
  return constant(g, "float32", [], Float32Array.of(value));
}

type BinaryOp = "Add" | "Sub" | "Mul" | "Div" | "Maximum" | "Minimum";
type UnaryOp =
  | "Neg"
  | "Exp"
  | "Log"
  | "Sqrt"
  | "Reciprocal"
  | "Tanh"
  | "Erf"
  | "Sigmoid"
  | "Relu"
  | "Abs"
  | "Sign"
  | "Detach"
  | "Round"
  | "Silu";

function binary(op: BinaryOp): (g: Graph, a: Value, b: Value) => Value {
  return (g, a, b) => {
    sameDType(op, a, b);
    return one(
      g.emit(op, [a, b], none, [{ dtype: a.dtype, shape: broadcast(op, a.shape, b.shape) }]),
    );
  };
}

function unary(op: UnaryOp): (g: Graph, x: Value) => Value {
  return (g, x) => one(g.emit(op, [x], none, [x]));
}

export const add = binary("Add");
export const sub = binary("Sub");
export const mul = binary("Mul");
export const div = binary("Div");
export const maximum = binary("Maximum");
export const minimum = binary("Minimum");
export const neg = unary("Neg");
export const exp = unary("Exp");
export const log = unary("Log");
export const sqrt = unary("Sqrt");
export const reciprocal = unary("Reciprocal");
export const tanh = unary("Tanh");
export const erf = unary("Erf");
export const sigmoid = unary("Sigmoid");
export const relu = unary("Relu");
export const abs = unary("Abs");
export const sign = unary("Sign");
export const round = unary("Round");
export const detach = unary("Detach");
export const silu = unary("Silu");

/**
 * x itself. Where a backward pass is asked for the gradient of `reading`, of one element, it finds Σ |x ∘ dx|: no
 * derivative, but how sensitive the loss is to the numbers of x, measured where they are without their gradient being kept.
 */
export function gauge(g: Graph, x: Value, reading: Value): Value {
  sameDType("Gauge", x, reading);
  if (elementCount(reading.shape) !== 1) misfit("Gauge", "reads into one", x.shape, reading.shape);
  return one(g.emit("Gauge", [x, reading], none, [x]));
}

/** x times a number known when the graph is built. */
export function scale(g: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : mul(g, x, scalar(g, factor));
}

export function equal(g: Graph, a: Value, b: Value): Value {
  sameDType("Equal", a, b);
  return one(
    g.emit("Equal", [a, b], none, [{ dtype: "bool", shape: broadcast("Equal", a.shape, b.shape) }]),
  );
}

export function less(g: Graph, a: Value, b: Value): Value {
  sameDType("Less", a, b);
  return one(
    g.emit("Less", [a, b], none, [{ dtype: "bool", shape: broadcast("Less", a.shape, b.shape) }]),
  );
}

/** a where condition holds, else b. */
export function where(g: Graph, condition: Value, a: Value, b: Value): Value {
  invariant(condition.dtype === "bool", "Where needs a bool condition");
  sameDType("Where", a, b);
  const shape = broadcast("Where", condition.shape, broadcast("Where", a.shape, b.shape));
  return one(g.emit("Where", [condition, a, b], none, [{ dtype: a.dtype, shape }]));
}

export function gelu(g: Graph, x: Value, approximate: "none" | "tanh"): Value {
  return one(g.emit("Gelu", [x], { approximate }, [x]));
}

export function cast(g: Graph, x: Value, to: DType): Value {
  return x.dtype === to ? x : one(g.emit("Cast", [x], { to }, [{ dtype: to, shape: x.shape }]));
}

export interface MatMulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

/** alpha · op(a) op(b): a [..., m, k], b [..., k, n] after transposition of the last two axes. */
export function matmul(g: Graph, a: Value, b: Value, options: MatMulOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  sameDType("MatMul", a, b);
  if (a.shape.length < 2 || b.shape.length < 2)
    misfit("MatMul", "needs matrices", a.shape, b.shape);
  const [m, k] = lastTwo(a.shape, transA);
  const [kb, n] = lastTwo(b.shape, transB);
  if (k !== kb) misfit("MatMul", `inner sizes ${k} and ${kb} differ`, a.shape, b.shape);
  const lead = broadcast("MatMul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return one(
    g.emit("MatMul", [a, b], { transA, transB, alpha }, [
      { dtype: a.dtype, shape: [...lead, m, n] },
    ]),
  );
}

/** alpha · op(a) op(b) + c: a [m, k], b [k, n] after transposition, c [m, n] or [n]. */
export function gemm(
  g: Graph,
  a: Value,
  b: Value,
  c: Value,
  options: Required<MatMulOptions>,
): Value {
  const [m] = lastTwo(a.shape, options.transA);
  const [, n] = lastTwo(b.shape, options.transB);
  invariant(a.shape.length === 2 && b.shape.length === 2, "Gemm takes matrices");
  return one(g.emit("Gemm", [a, b, c], options, [{ dtype: a.dtype, shape: [m, n] }]));
}

/**
 * Causal softmax(q kᵀ scale) v with q [batch, length, heads, dim], k and v [batch, length, groups, dim]: each
 * group of heads / groups query heads shares a key-value head. Result [batch, length, heads, dim].
 */
export function causalAttention(g: Graph, q: Value, k: Value, v: Value, factor: number): Value {
  const [batch, length, heads, dim] = q.shape;
  invariant(
    sameShape(k.shape, v.shape) &&
      k.shape[0] === batch &&
      k.shape[1] === length &&
      k.shape[3] === dim,
    `CausalAttention: q [${q.shape.join()}], k [${k.shape.join()}], v [${v.shape.join()}]`,
  );
  invariant(
    at([heads ?? 0], 0) % at(k.shape, 2) === 0,
    "CausalAttention: heads must divide into groups",
  );
  return one(g.emit("CausalAttention", [q, k, v], { scale: factor }, [q]));
}

function reduction(
  op: "ReduceSum" | "ReduceMax",
): (g: Graph, x: Value, axes: readonly number[]) => Value {
  return (g, x, axes) => {
    const positive = axes
      .map((axis) => (axis < 0 ? axis + x.shape.length : axis))
      .toSorted((a, b) => a - b);
    if (positive.every((axis) => x.shape[axis] === 1)) return x;
    const shape = x.shape.map((size, axis) => (positive.includes(axis) ? 1 : size));
    return one(g.emit(op, [x], { axes: positive }, [{ dtype: x.dtype, shape }]));
  };
}

/** Sum over axes, which stay with size 1. */
export const reduceSum = reduction("ReduceSum");
/** Maximum over axes, which stay with size 1. */
export const reduceMax = reduction("ReduceMax");

/** Mean over axes, which stay with size 1. */
export function reduceMean(g: Graph, x: Value, axes: readonly number[]): Value {
  const sum = reduceSum(g, x, axes);
  return scale(g, sum, elementCount(sum.shape) / elementCount(x.shape));
}

/** Σ x² as a scalar of shape []. */
export function sumOfSquares(g: Graph, x: Value): Value {
  const all = x.shape.map((_, axis) => axis);
  return reshape(g, reduceSum(g, mul(g, x, x), all), []);
}

export function softmax(g: Graph, x: Value): Value {
  return one(g.emit("Softmax", [x], none, [x]));
}

export function logSoftmax(g: Graph, x: Value): Value {
  return one(g.emit("LogSoftmax", [x], none, [x]));
}

/** y = x / √(mean(x²) + ε) · scale. Zhang and Sennrich, "Root Mean Square Layer Normalization". */
export function rmsNorm(g: Graph, x: Value, weight: Value, epsilon: number): Value {
  invariant(
    weight.shape.length === 1 && weight.shape[0] === x.shape.at(-1),
    `RmsNorm: x [${x.shape.join()}], scale [${weight.shape.join()}]`,
  );
  return at(g.emit("RmsNorm", [x, weight], { epsilon }, [x, statistics(x)]), 0);
}

/** y = (x − mean) / √(var + ε) · weight + bias. */
export function layerNorm(g: Graph, x: Value, weight: Value, bias: Value, epsilon: number): Value {
  invariant(
    weight.shape[0] === x.shape.at(-1) && bias.shape[0] === x.shape.at(-1),
    `LayerNorm: x [${x.shape.join()}], scale [${weight.shape.join()}]`,
  );
  return at(
    g.emit("LayerNorm", [x, weight, bias], { epsilon }, [x, statistics(x), statistics(x)]),
    0,
  );
}

/** Rotates halves: with x = [x₁, x₂], y = [x₁ cos − x₂ sin, x₂ cos + x₁ sin]. Su et al., "RoFormer"; transformers' layout. */
export function rope(g: Graph, x: Value, cos: Value, sin: Value): Value {
  const half = at(x.shape, x.shape.length - 1) / 2;
  invariant(
    x.shape.length === 4 && cos.shape.length === 4 && cos.shape[3] === half,
    `Rope: x [${x.shape.join()}], cos [${cos.shape.join()}]`,
  );
  return one(g.emit("Rope", [x, cos, sin], none, [x]));
}

/** −log softmax(logits)[label] for each row, 0 where the label is negative: [n, 1]; and the log-probabilities. */
export function crossEntropy(
  g: Graph,
  logits: Value,
  labels: Value,
): { readonly loss: Value; readonly logProbabilities: Value } {
  const rows = at(logits.shape, 0);
  invariant(
    logits.shape.length === 2 && labels.shape.length === 1 && labels.shape[0] === rows,
    `CrossEntropy: logits [${logits.shape.join()}], labels [${labels.shape.join()}]`,
  );
  const outputs = g.emit("CrossEntropy", [logits, labels], none, [
    { dtype: logits.dtype, shape: [rows, 1] },
    logits,
  ]);
  return { loss: at(outputs, 0), logProbabilities: at(outputs, 1) };
}

export function reshape(g: Graph, x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (elementCount(shape) !== elementCount(x.shape))
    misfit("Reshape", "element counts differ", x.shape, shape);
  return one(g.emit("Reshape", [x], { shape }, [{ dtype: x.dtype, shape }]));
}

export function transpose(g: Graph, x: Value, perm: readonly number[]): Value {
  invariant(perm.length === x.shape.length, `Transpose: [${x.shape.join()}] by [${perm.join()}]`);
  if (perm.every((axis, index) => axis === index)) return x;
  return one(
    g.emit("Transpose", [x], { perm }, [
      { dtype: x.dtype, shape: perm.map((axis) => at(x.shape, axis)) },
    ]),
  );
}

/** The last two axes exchanged. */
export function matrixTranspose(g: Graph, x: Value): Value {
  const rank = x.shape.length;
  return transpose(
    g,
    x,
    [...x.shape.keys()].map((axis) =>
      axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis,
    ),
  );
}

/** Broadcasts x to shape. */
export function expand(g: Graph, x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcast("Expand", x.shape, shape), shape))
    misfit("Expand", "does not broadcast", x.shape, shape);
  return one(g.emit("Expand", [x], { shape }, [{ dtype: x.dtype, shape }]));
}

export function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  const first = at(parts, 0);
  if (parts.length === 1) return first;
  const size = parts.reduce((sum, part) => sum + at(part.shape, axis), 0);
  for (const part of parts)
    if (
      part.dtype !== first.dtype ||
      part.shape.some((length, index) => index !== axis && length !== first.shape[index])
    )
      misfit("Concat", `differ beside axis ${axis}`, first.shape, part.shape);
  return one(
    g.emit("Concat", parts, { axis }, [
      { dtype: first.dtype, shape: first.shape.with(axis, size) },
    ]),
  );
}

/** Elements start ≤ i < end along an axis. */
export function slice(g: Graph, x: Value, axis: number, start: number, end: number): Value {
  const size = at(x.shape, axis);
  invariant(
    start >= 0 && start < end && end <= size,
    `Slice: ${start}:${end} of axis ${axis} in [${x.shape.join()}]`,
  );
  if (start === 0 && end === size) return x;
  return one(
    g.emit("Slice", [x], { axis, start, end }, [
      { dtype: x.dtype, shape: x.shape.with(axis, end - start) },
    ]),
  );
}

export function pad(g: Graph, x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const shape = x.shape.with(axis, at(x.shape, axis) + before + after);
  return one(g.emit("Pad", [x], { axis, before, after }, [{ dtype: x.dtype, shape }]));
}

/** Rows of table [rows, …] at int32 indices [any shape]. */
export function gather(g: Graph, table: Value, indices: Value): Value {
  needIndices("Gather", indices);
  return one(
    g.emit("Gather", [table, indices], none, [
      { dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] },
    ]),
  );
}

/** table with updates [k, …] added to the rows named by indices [k]. */
export function scatterAdd(g: Graph, table: Value, indices: Value, updates: Value): Value {
  needIndices("ScatterAdd", indices);
  invariant(
    indices.shape.length === 1 &&
      sameShape(updates.shape, [at(indices.shape, 0), ...table.shape.slice(1)]),
    `ScatterAdd: [${updates.shape.join()}] into [${table.shape.join()}]`,
  );
  return one(g.emit("ScatterAdd", [table, indices, updates], none, [table]));
}

function one(values: readonly Value[]): Value {
  return at(values, 0);
}

function statistics(x: Value): { readonly dtype: DType; readonly shape: Shape } {
  return { dtype: x.dtype, shape: x.shape.with(-1, 1) };
}
