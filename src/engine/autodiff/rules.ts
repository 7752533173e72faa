/** @file Vector-Jacobian products: one row for each operator, its equation above it. */
import { elementCount } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import type { Graph, NodeOf, OpName, Value } from "../core/graph.ts";
import { causalAttentionGradient } from "./attention.ts";
import { addColumn, gatherColumns, pickColumn, scatterColumns } from "../core/columns.ts";
import {
  abs,
  add,
  cast,
  constant,
  div,
  equal,
  erf,
  exp,
  expand,
  gather,
  less,
  matmul,
  mul,
  neg,
  pad,
  reduceSum,
  reshape,
  rope,
  scalar,
  scale,
  scatterAdd,
  sigmoid,
  sign,
  slice,
  sub,
  tanh,
  transpose,
  where,
} from "../core/ops.ts";

/**
 * Gradients of a node's inputs from those of its outputs. `dys[i]` is missing where nothing flows into output i;
 * a missing result means that no gradient flows to that input. Broadcasting is undone by the reverse walk.
 */
export type VjpRule<Op extends OpName> = (
  g: Graph,
  dys: readonly (Value | undefined)[],
  node: NodeOf<Op>,
) => readonly (Value | undefined)[];

export type VjpRules = { readonly [Op in OpName]: VjpRule<Op> | "nondifferentiable" };

/** A rule for an operator with one output. */
function rule<Op extends OpName>(
  body: (
    g: Graph,
    dy: Value,
    inputs: readonly Value[],
    y: Value,
    node: NodeOf<Op>,
  ) => readonly (Value | undefined)[],
): VjpRule<Op> {
  return (g, dys, node) => {
    const dy = dys[0];
    return dy === undefined ? [] : body(g, dy, node.inputs, at(node.outputs, 0), node);
  };
}

/** A rule for y = f(x): the body gives dx. */
function unary<Op extends OpName>(
  body: (g: Graph, dy: Value, x: Value, y: Value, node: NodeOf<Op>) => Value | undefined,
): VjpRule<Op> {
  return rule((g, dy, inputs, y, node) => [body(g, dy, at(inputs, 0), y, node)]);
}

export const vjpRules: VjpRules = {
  Constant: "nondifferentiable",
  // y = a + b  ⇒  da = dy, db = dy
  Add: rule((_g, dy) => [dy, dy]),
  // y = a − b  ⇒  da = dy, db = −dy
  Sub: rule((g, dy) => [dy, neg(g, dy)]),
  // y = a b  ⇒  da = dy b, db = dy a
  Mul: rule((g, dy, inputs) => [mul(g, dy, at(inputs, 1)), mul(g, dy, at(inputs, 0))]),
  // y = a / b  ⇒  da = dy / b, db = −dy y / b
  Div: rule((g, dy, inputs, y) => {
    const da = div(g, dy, at(inputs, 1));
    return [da, neg(g, mul(g, da, y))];
  }),
  // The gradient goes to the larger; at a tie half to each, as in PyTorch.
  Maximum: rule((g, dy, inputs) => extremum(g, dy, at(inputs, 1), at(inputs, 0))),
  // The gradient goes to the smaller; at a tie half to each, as in PyTorch.
  Minimum: rule((g, dy, inputs) => extremum(g, dy, at(inputs, 0), at(inputs, 1))),
  Equal: "nondifferentiable",
  Less: "nondifferentiable",
  // y = c ? a : b  ⇒  da = c ? dy : 0, db = c ? 0 : dy
  Where: rule((g, dy, inputs) => {
    const condition = at(inputs, 0);
    const zero = scalar(g, 0);
    return [undefined, where(g, condition, dy, zero), where(g, condition, zero, dy)];
  }),
  Neg: unary((g, dy) => neg(g, dy)),
  // y = eˣ  ⇒  dx = dy y
  Exp: unary((g, dy, _x, y) => mul(g, dy, y)),
  // y = ln x  ⇒  dx = dy / x
  Log: unary((g, dy, x) => div(g, dy, x)),
  // y = √x  ⇒  dx = dy / (2 y)
  Sqrt: unary((g, dy, _x, y) => scale(g, div(g, dy, y), 0.5)),
  // y = 1/x  ⇒  dx = −dy y²
  Reciprocal: unary((g, dy, _x, y) => neg(g, mul(g, dy, mul(g, y, y)))),
  // y = tanh x  ⇒  dx = dy (1 − y²)
  Tanh: unary((g, dy, _x, y) => mul(g, dy, sub(g, scalar(g, 1), mul(g, y, y)))),
  // y = erf x  ⇒  dx = dy 2/√π e^(−x²)
  Erf: unary((g, dy, x) =>
    scale(g, mul(g, dy, exp(g, neg(g, mul(g, x, x)))), 2 / Math.sqrt(Math.PI)),
  ),
  // y = σ(x)  ⇒  dx = dy y (1 − y)
  Sigmoid: unary((g, dy, _x, y) => mul(g, dy, mul(g, y, sub(g, scalar(g, 1), y)))),
  // y = max(x, 0)  ⇒  dx = dy where x > 0 (0 at 0, as in PyTorch)
  Relu: unary((g, dy, x) => where(g, less(g, scalar(g, 0), x), dy, scalar(g, 0))),
  // y = |x|  ⇒  dx = dy sign(x) (0 at 0, as in PyTorch)
  Abs: unary((g, dy, x) => mul(g, dy, sign(g, x))),
  Sign: "nondifferentiable",
  Detach: "nondifferentiable",
  // y = x  ⇒  dx = dy; the reading is Σ |x dy|, which is no derivative
  Gauge: rule((g, dy, inputs) => {
    const [x, reading] = [at(inputs, 0), at(inputs, 1)];
    const all = x.shape.map((_, axis) => axis);
    const sum = reduceSum(g, abs(g, mul(g, x, dy)), all);
    return [dy, reshape(g, sum, reading.shape)];
  }),
  Round: "nondifferentiable",
  // y = x σ  ⇒  dx = dy (σ + y (1 − σ)) = dy (y + σ (1 − y))
  Silu: unary((g, dy, x, y) => {
    const s = sigmoid(g, x);
    return mul(g, dy, add(g, y, mul(g, s, sub(g, scalar(g, 1), y))));
  }),
  // exact: Φ(x) + x φ(x); tanh form: ½(1 + t) + ½ x (1 − t²) c (1 + 3·0.044715 x²), t = tanh(c (x + 0.044715 x³)), c = √(2/π)
  Gelu: unary((g, dy, x, _y, { attributes }) =>
    mul(g, dy, attributes.approximate === "tanh" ? geluTanhSlope(g, x) : geluSlope(g, x)),
  ),
  // Gradients keep the dtype of what they are a gradient of.
  Cast: unary((g, dy, x) =>
    x.dtype === "float32" || x.dtype === "float16" ? cast(g, dy, x.dtype) : undefined,
  ),
  // y = α op(a) op(b): the four cases of d(op a) = α dy op(b)ᵀ, d(op b) = α op(a)ᵀ dy
  MatMul: rule((g, dy, inputs, _y, { attributes: { transA, transB, alpha } }) => {
    const a = at(inputs, 0);
    const b = at(inputs, 1);
    const da = transA
      ? matmul(g, b, dy, { transA: transB, transB: true, alpha })
      : matmul(g, dy, b, { transB: !transB, alpha });
    if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
      // One product over all rows, not one for each leading index with a sum after.
      const rows = flattenRows(g, a);
      const dyRows = flattenRows(g, dy);
      const db = transB
        ? matmul(g, dyRows, rows, { transA: true, alpha })
        : matmul(g, rows, dyRows, { transA: true, alpha });
      return [da, db];
    }
    const db = transB
      ? matmul(g, dy, a, { transA: true, transB: transA, alpha })
      : matmul(g, a, dy, { transA: !transA, alpha });
    return [da, db];
  }),
  Gemm: "nondifferentiable",
  // o = P v, P = softmax(s q kᵀ) ⇒ dv = Pᵀ do, dS = P (do vᵀ − Σ do o), dq = s dS k, dk = s dSᵀ q
  CausalAttention: rule((g, dy, inputs, y, { attributes }) =>
    causalAttentionGradient(g, dy, inputs, y, attributes.scale),
  ),
  // y = x Wᵀ with W frozen  ⇒  dx = dy W
  MatMulNF4: rule((g, dy, _inputs, _y, { attributes: { decoded } }) => [matmul(g, dy, decoded)]),
  MatMulNBits: rule((g, dy, _inputs, _y, { attributes: { decoded } }) => [matmul(g, dy, decoded)]),
  // y = Σ x  ⇒  dx = dy, broadcast
  ReduceSum: unary((g, dy, x) => expand(g, dy, x.shape)),
  // The gradient is shared equally among the places that reach the maximum, as in PyTorch's amax.
  ReduceMax: unary((g, dy, x, y, { attributes }) => {
    const mask = cast(g, equal(g, x, y), "float32");
    return mul(g, mask, div(g, dy, reduceSum(g, mask, attributes.axes)));
  }),
  // dx = y (dy − Σ dy y)
  Softmax: unary((g, dy, _x, y) => mul(g, y, sub(g, dy, reduceSum(g, mul(g, dy, y), [-1])))),
  // dx = dy − eʸ Σ dy
  LogSoftmax: unary((g, dy, _x, y) => sub(g, dy, mul(g, exp(g, y), reduceSum(g, dy, [-1])))),
  // y = x r w, r = (mean x² + ε)^(−½)  ⇒  dx = r (w dy − x r² mean(w dy x)), dw = Σ dy x r
  RmsNorm: (g, dys, { inputs, outputs }) => {
    const dy = dys[0];
    if (dy === undefined) return [];
    const x = at(inputs, 0);
    const r = at(outputs, 1);
    const n = at(x.shape, x.shape.length - 1);
    const wdy = mul(g, dy, at(inputs, 1));
    const pull = scale(g, mul(g, mul(g, r, r), reduceSum(g, mul(g, wdy, x), [-1])), 1 / n);
    return [mul(g, r, sub(g, wdy, mul(g, x, pull))), mul(g, mul(g, dy, x), r)];
  },
  // x̂ = (x − μ) r  ⇒  dx = r (w dy − mean(w dy) − x̂ mean(w dy x̂)), dw = Σ dy x̂, db = Σ dy
  LayerNorm: (g, dys, { inputs, outputs }) => {
    const dy = dys[0];
    if (dy === undefined) return [];
    const x = at(inputs, 0);
    const r = at(outputs, 2);
    const n = at(x.shape, x.shape.length - 1);
    const xhat = mul(g, sub(g, x, at(outputs, 1)), r);
    const wdy = mul(g, dy, at(inputs, 1));
    const mean = scale(g, reduceSum(g, wdy, [-1]), 1 / n);
    const pull = scale(g, reduceSum(g, mul(g, wdy, xhat), [-1]), 1 / n);
    return [mul(g, r, sub(g, sub(g, wdy, mean), mul(g, xhat, pull))), mul(g, dy, xhat), dy];
  },
  // A rotation: its transpose turns the other way.
  Rope: rule((g, dy, inputs) => [
    rope(g, dy, at(inputs, 1), neg(g, at(inputs, 2))),
    undefined,
    undefined,
  ]),
  // dlogits = (softmax − onehot) dloss, 0 in ignored rows
  CrossEntropy: (g, dys, { inputs, outputs }) => {
    const dloss = dys[0];
    if (dloss === undefined) return [];
    const labels = reshape(g, at(inputs, 1), [at(dloss.shape, 0), 1]);
    const ignored = less(g, labels, constant(g, "int32", [], Int32Array.of(0)));
    const rows = where(g, ignored, scalar(g, 0), dloss);
    const scaled = mul(g, exp(g, at(outputs, 1)), rows);
    return [addColumn(g, scaled, nonNegative(g, labels), neg(g, rows)), undefined];
  },
  Reshape: unary((g, dy, x) => reshape(g, dy, x.shape)),
  Transpose: unary((g, dy, _x, _y, { attributes: { perm } }) =>
    transpose(
      g,
      dy,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ),
  // Undone by the reverse walk, like every broadcast.
  Expand: rule((_g, dy) => [dy]),
  Concat: rule((g, dy, inputs, _y, { attributes: { axis } }) => {
    let start = 0;
    return inputs.map((part) => {
      const size = at(part.shape, axis);
      start += size;
      return slice(g, dy, axis, start - size, start);
    });
  }),
  Slice: unary((g, dy, x, _y, { attributes: { axis, start, end } }) =>
    pad(g, dy, axis, start, at(x.shape, axis) - end),
  ),
  Pad: unary((g, dy, x, _y, { attributes: { axis, before } }) =>
    slice(g, dy, axis, before, before + at(x.shape, axis)),
  ),
  // dtable = rows of dy summed into the rows they came from
  Gather: rule((g, dy, inputs) => {
    const table = at(inputs, 0);
    const indices = at(inputs, 1);
    const rows = elementCount(indices.shape);
    const zeros = expand(g, scalar(g, 0), table.shape);
    const updates = reshape(g, dy, [rows, ...table.shape.slice(1)]);
    return [scatterAdd(g, zeros, reshape(g, indices, [rows]), updates), undefined];
  }),
  // y = acc with updates added  ⇒  dacc = dy, dupdates = rows of dy
  ScatterAdd: rule((g, dy, inputs) => [dy, undefined, gather(g, dy, at(inputs, 1))]),
  PickColumn: rule((g, dy, inputs) => {
    const x = at(inputs, 0);
    return [addColumn(g, expand(g, scalar(g, 0), x.shape), at(inputs, 1), dy), undefined];
  }),
  AddColumn: rule((g, dy, inputs) => [dy, undefined, pickColumn(g, dy, at(inputs, 1))]),
  // dx = columns of dy summed into the columns they came from: of few, a thin product that a sum takes up
  GatherColumns: rule((g, dy, inputs) => {
    const x = at(inputs, 0);
    const columns = at(inputs, 1);
    const [count, width] = [at(columns.shape, 0), at(x.shape, 1)];
    if (count > productColumns)
      return [scatterColumns(g, expand(g, scalar(g, 0), x.shape), columns, dy), undefined];
    const zeros = expand(g, scalar(g, 0), [count, width]);
    const ones = expand(g, scalar(g, 1), [count, 1]);
    const places = addColumn(g, zeros, reshape(g, columns, [count, 1]), ones);
    return [matmul(g, dy, places), undefined];
  }),
  ScatterColumns: rule((g, dy, inputs) => [dy, undefined, gatherColumns(g, dy, at(inputs, 1))]),
};

/** Up to so many columns, a product that places them costs less than scattering and a sum. */
const productColumns = 128;

/** Labels with the ignored ones (negative) as 0, so that they index. */
function nonNegative(g: Graph, labels: Value): Value {
  const zero = constant(g, "int32", [], Int32Array.of(0));
  return where(g, less(g, labels, zero), zero, labels);
}

function extremum(g: Graph, dy: Value, smaller: Value, larger: Value): readonly [Value, Value] {
  const zero = scalar(g, 0);
  const half = scale(g, dy, 0.5);
  const tie = equal(g, smaller, larger);
  const first = less(g, smaller, larger);
  return [
    where(g, tie, half, where(g, first, dy, zero)),
    where(g, tie, half, where(g, first, zero, dy)),
  ];
}

function flattenRows(g: Graph, x: Value): Value {
  const columns = at(x.shape, x.shape.length - 1);
  return reshape(g, x, [elementCount(x.shape) / columns, columns]);
}

function geluSlope(g: Graph, x: Value): Value {
  const cdf = scale(g, add(g, scalar(g, 1), erf(g, scale(g, x, Math.SQRT1_2))), 0.5);
  const density = scale(g, exp(g, scale(g, mul(g, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(g, cdf, mul(g, x, density));
}

function geluTanhSlope(g: Graph, x: Value): Value {
  const c = Math.sqrt(2 / Math.PI);
  const cubic = 0.044715;
  const square = mul(g, x, x);
  const one = scalar(g, 1);
  const t = tanh(g, scale(g, mul(g, x, add(g, one, scale(g, square, cubic))), c));
  const inner = scale(g, add(g, one, scale(g, square, 3 * cubic)), c);
  const slope = mul(g, mul(g, x, sub(g, one, mul(g, t, t))), inner);
  return scale(g, add(g, add(g, one, t), slope), 0.5);
}
