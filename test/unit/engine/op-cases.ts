/** @file Small graphs for every operator, with data: what the tests of gradients and of each backend run. */
import type { Shape } from "../../../src/shared/dtypes.ts";
import { at } from "../../../src/shared/errors.ts";
import type { Graph, OpName, Value } from "../../../src/engine/core/graph.ts";
import * as o from "../../../src/engine/core/ops.ts";
import { matmulNBits, matmulNF4 } from "../../../src/engine/core/packed.ts";
import * as columns from "../../../src/engine/core/columns.ts";
import { nf4Values } from "../../../src/engine/runtime/reference/products.ts";
import type { OpCase } from "./op-case.ts";

const shapes: readonly Shape[] = [[], [1], [5], [2, 3], [1, 2, 3], [2, 1, 3, 2]];

function unary(op: (g: Graph, x: Value) => Value, low = -2, high = 2): readonly OpCase[] {
  return shapes.map((shape): OpCase => ({ g, float }) => [op(g, float(shape, low, high))]);
}

/** Pairs of shapes that broadcast, from no dimensions to four. */
const pairs: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[3], []],
  [[], [2, 2]],
  [[1], [4]],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 2, 3],
    [1, 4, 1, 3],
  ],
];

function binary(
  op: (g: Graph, a: Value, b: Value) => Value,
  low = -2,
  high = 2,
): readonly OpCase[] {
  return pairs.map(([a, b]): OpCase => ({ g, float }) => [op(g, float(a), float(b, low, high))]);
}

/** Integers, which carry no gradient. */
function integers(op: (g: Graph, a: Value, b: Value) => Value): OpCase {
  return ({ g, ints }) => [op(g, ints([2, 2], [7, -3, 0, 2]), ints([2], [2, 2]))];
}

const products: readonly (readonly [Shape, Shape, o.MatMulOptions])[] = [
  [[2, 3], [3, 4], {}],
  [[1, 1], [1, 1], { alpha: -2 }],
  [[2, 3], [4, 3], { transB: true, alpha: 0.5 }],
  [[3, 2], [3, 4], { transA: true }],
  [[3, 2], [4, 3], { transA: true, transB: true, alpha: 2 }],
  [[2, 3, 4], [4, 2], {}],
  [[2, 3, 4], [2, 4], { transB: true }],
  [[2, 4, 3], [4, 2], { transA: true }],
  [[4, 2], [3, 4, 2], { transB: true }],
  [[2, 3, 4], [2, 4, 2], { alpha: 3 }],
  [[2, 2, 3, 4], [2, 1, 5, 4], { transB: true, alpha: 0.25 }],
  [[2, 1, 4, 3], [1, 2, 4, 2], { transA: true }],
  [[1, 2, 4, 3], [2, 1, 5, 4], { transA: true, transB: true }],
];

/** One row for each operator; the compiler finds a missing one. */
export const opCases: { readonly [Op in OpName]: readonly OpCase[] } = {
  Constant: [
    ({ g }) => [o.scalar(g, 0.5)],
    ({ g }) => [o.constant(g, "int32", [2, 2], Int32Array.of(1, -2, 3, -4))],
    ({ g }) => [o.constant(g, "bool", [3], Uint8Array.of(1, 0, 1))],
    ({ g, float }) => [
      o.mul(g, float([3]), o.constant(g, "float32", [3], Float32Array.of(1, 2, 3))),
    ],
  ],
  Add: [...binary(o.add), integers(o.add), ({ g, float }) => twice(o.add, g, float([3]))],
  Sub: [...binary(o.sub), integers(o.sub), ({ g, float }) => twice(o.sub, g, float([3]))],
  Mul: [...binary(o.mul), integers(o.mul), ({ g, float }) => twice(o.mul, g, float([3]))],
  Div: [...binary(o.div, 0.5, 2), integers(o.div)],
  Maximum: [...binary(o.maximum), integers(o.maximum)],
  Minimum: [...binary(o.minimum), integers(o.minimum)],
  Equal: [
    ({ g, floats }) => [o.equal(g, floats([3], [1, 2, 3]), floats([3], [1, -2, 3]))],
    ({ g, ints }) => [o.equal(g, ints([2, 2], [1, 2, 3, 4]), ints([2], [1, 4]))],
    ({ g, floats }) => [o.equal(g, floats([], [0]), floats([], [-0]))],
  ],
  Less: [
    ({ g, floats }) => [o.less(g, floats([3], [1, 2, 3]), floats([3], [2, 2, 2]))],
    ({ g, ints }) => [o.less(g, ints([2, 1], [1, 4]), ints([2], [2, 9]))],
    ({ g, floats }) => [o.less(g, floats([], [1]), floats([], [1]))],
  ],
  Where: [
    ({ g, bools, float }) => [o.where(g, bools([2, 3]), float([2, 3]), float([2, 3]))],
    ({ g, bools, float }) => [o.where(g, bools([2, 1, 1]), float([3, 1]), float([2]))],
    ({ g, bools, float }) => [o.where(g, bools([]), float([]), float([]))],
    ({ g, bools, float }) => [o.where(g, bools([2, 2, 1, 3]), float([]), float([2, 3]))],
    ({ g, bools, ints }) => [o.where(g, bools([4]), ints([4], [1, 2, 3, 4]), ints([1], [-1]))],
  ],
  Neg: [...unary(o.neg), ({ g, ints }) => [o.neg(g, ints([3], [1, 0, -4]))]],
  Exp: unary(o.exp),
  Log: unary(o.log, 0.2, 3),
  Sqrt: unary(o.sqrt, 0.2, 3),
  Reciprocal: unary(o.reciprocal, 0.3, 2),
  Tanh: unary(o.tanh),
  Erf: unary(o.erf),
  Sigmoid: [...unary(o.sigmoid), ...unary(o.sigmoid, -20, 20)],
  Relu: unary(o.relu),
  Abs: unary(o.abs),
  Gauge: [({ g, float, frozen }) => [o.gauge(g, float([3, 2]), frozen([1]))]],
  Detach: [({ g, float }) => [o.detach(g, float([3, 2]))]],
  Sign: [
    ({ g, floats }) => [o.sign(g, floats([5], [-2, -0, 0, 1e-30, 3]))],
    ({ g, floats }) => [o.sign(g, floats([], [-0.5]))],
  ],
  Round: [
    ({ g, floats }) => [
      o.round(g, floats([9], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.4999, 7.6, -7.4])),
    ],
    ({ g, floats }) => [o.round(g, floats([], [3.5]))],
  ],
  Silu: [...unary(o.silu), ...unary(o.silu, -20, 20)],
  Gelu: [
    ...unary((g, x) => o.gelu(g, x, "none")),
    ...unary((g, x) => o.gelu(g, x, "tanh")),
    ({ g, float }) => [o.gelu(g, float([40], -12, 12), "none")],
    ({ g, float }) => [o.gelu(g, float([40], -12, 12), "tanh")],
  ],
  Cast: [
    ({ g, ints }) => [o.cast(g, ints([3], [1, -2, 3]), "float32")],
    ({ g, floats }) => [o.cast(g, floats([4], [1.7, -1.7, 0, 5]), "int32")],
    ({ g, bools }) => [o.cast(g, bools([2, 3]), "float32")],
    ({ g, bools }) => [o.cast(g, bools([3]), "int32")],
    ({ g, ints }) => [o.cast(g, ints([3], [2, 0, -1]), "bool")],
  ],
  MatMul: products.map(([a, b, options]): OpCase => ({ g, float }) => [
    o.matmul(g, float(a), float(b), options),
  ]),
  Gemm: [
    gemm([2, 3], [3, 4], [4], { transA: false, transB: false, alpha: 1 }),
    gemm([2, 3], [4, 3], [2, 4], { transA: false, transB: true, alpha: 0.5 }),
    gemm([3, 2], [3, 4], [2, 4], { transA: true, transB: false, alpha: -2 }),
    gemm([3, 1], [1, 3], [1], { transA: true, transB: true, alpha: 1 }),
  ],
  CausalAttention: [
    attention(1, 1, 1, 1, 2),
    attention(2, 3, 1, 1, 8),
    attention(2, 5, 4, 2, 8),
    attention(1, 4, 6, 2, 16),
  ],
  MatMulNF4: [
    nf4([3, 64], 2, 64),
    nf4([1, 128], 5, 64),
    nf4([2, 3, 64], 8, 64),
    nf4([2, 1, 2, 96], 6, 32),
  ],
  MatMulNBits: [
    nBits([3, 64], 2, { bits: 4, group: 64 }),
    nBits([1, 128], 5, { bits: 4, group: 32 }),
    nBits([2, 3, 48], 8, { bits: 4, group: 16 }),
    nBits([2, 1, 2, 96], 6, { bits: 8, group: 32 }),
    nBits([3, 16], 4, { bits: 8, group: 16 }),
  ],
  ReduceSum: [
    ({ g, float }) => [o.reduceSum(g, float([3]), [0])],
    ({ g, float }) => [o.reduceSum(g, float([2, 3]), [-1])],
    ({ g, float }) => [o.reduceSum(g, float([2, 3, 4]), [0, 2])],
    ({ g, float }) => [o.reduceSum(g, float([2, 3, 2, 2]), [0, 1, 2, 3])],
    ({ g, ints }) => [o.reduceSum(g, ints([2, 2], [1, 2, 3, 4]), [0])],
  ],
  ReduceMax: [
    ({ g, float }) => [o.reduceMax(g, float([3]), [0])],
    ({ g, float }) => [o.reduceMax(g, float([2, 3]), [-1])],
    ({ g, float }) => [o.reduceMax(g, float([2, 3, 4]), [0, 2])],
    ({ g, float }) => [o.reduceMax(g, float([2, 3, 2, 2]), [1, 2])],
  ],
  Softmax: lastAxis(o.softmax),
  LogSoftmax: lastAxis(o.logSoftmax),
  RmsNorm: [
    ...[[4], [2, 3], [2, 2, 5], [2, 1, 2, 3]].map((shape): OpCase => ({ g, float }) => [
      o.rmsNorm(g, float(shape), float([at(shape, shape.length - 1)]), 1e-5),
    ]),
    // The second output serves the gradient; backends must get it right as well.
    ({ g, frozen }) =>
      g.emit("RmsNorm", [frozen([2, 3, 4]), frozen([4])], { epsilon: 1e-3 }, [
        { dtype: "float32", shape: [2, 3, 4] },
        { dtype: "float32", shape: [2, 3, 1] },
      ]),
  ],
  LayerNorm: [
    ...[[4], [2, 3], [2, 2, 5], [2, 1, 2, 3]].map((shape): OpCase => ({ g, float }) => {
      const size = at(shape, shape.length - 1);
      return [o.layerNorm(g, float(shape), float([size]), float([size]), 1e-5)];
    }),
    ({ g, frozen }) =>
      g.emit("LayerNorm", [frozen([2, 3, 4]), frozen([4]), frozen([4])], { epsilon: 1e-3 }, [
        { dtype: "float32", shape: [2, 3, 4] },
        { dtype: "float32", shape: [2, 3, 1] },
        { dtype: "float32", shape: [2, 3, 1] },
      ]),
  ],
  Rope: [
    ({ g, float, frozen }) => [
      o.rope(g, float([1, 1, 1, 2]), frozen([1, 1, 1, 1]), frozen([1, 1, 1, 1])),
    ],
    ({ g, float, frozen }) => [
      o.rope(g, float([2, 3, 2, 4]), frozen([1, 3, 1, 2]), frozen([1, 3, 1, 2])),
    ],
    ({ g, float, frozen }) => [
      o.rope(g, float([2, 3, 2, 4]), frozen([2, 3, 1, 2]), frozen([2, 3, 1, 2])),
    ],
    ({ g, float, frozen }) => [
      o.rope(g, float([1, 5, 3, 8]), frozen([1, 5, 1, 4]), frozen([1, 5, 1, 4])),
    ],
  ],
  CrossEntropy: [
    ({ g, float, ints }) => [o.crossEntropy(g, float([3, 5]), ints([3], [4, 0, 2])).loss],
    ({ g, float, ints }) => [o.crossEntropy(g, float([3, 5]), ints([3], [-100, 0, -1])).loss],
    ({ g, float, ints }) => [o.crossEntropy(g, float([1, 1]), ints([1], [0])).loss],
    ({ g, float, ints }) => [
      o.crossEntropy(g, float([4, 7], -30, 30), ints([4], [1, 2, 3, 6])).loss,
    ],
    ({ g, frozen, ints }) => {
      const { loss, logProbabilities } = o.crossEntropy(g, frozen([2, 3]), ints([2], [1, -100]));
      return [loss, logProbabilities];
    },
  ],
  Reshape: [
    ({ g, float }) => [o.reshape(g, float([2, 3]), [3, 2])],
    ({ g, float }) => [o.reshape(g, float([1]), [])],
    ({ g, float }) => [o.reshape(g, float([]), [1, 1])],
    ({ g, ints }) => [o.reshape(g, ints([4], [1, 2, 3, 4]), [2, 1, 2, 1])],
  ],
  Transpose: [
    ({ g, float }) => [o.transpose(g, float([2, 3]), [1, 0])],
    ({ g, float }) => [o.transpose(g, float([2, 3, 4]), [2, 0, 1])],
    ({ g, float }) => [o.transpose(g, float([2, 3, 1, 4]), [0, 2, 1, 3])],
    ({ g, float }) => [o.transpose(g, float([2, 3, 2, 4]), [3, 1, 0, 2])],
    ({ g, ints }) => [o.transpose(g, ints([2, 2], [1, 2, 3, 4]), [1, 0])],
  ],
  Expand: [
    ({ g, float }) => [o.expand(g, float([]), [2, 3])],
    ({ g, float }) => [o.expand(g, float([2, 1]), [2, 3])],
    ({ g, float }) => [o.expand(g, float([1, 2, 1]), [3, 2, 2])],
    ({ g, float }) => [o.expand(g, float([3]), [2, 1, 2, 3])],
    ({ g, ints }) => [o.expand(g, ints([1, 2], [1, 2]), [3, 2])],
  ],
  Concat: [
    ({ g, float }) => [o.concat(g, [float([2]), float([3])], 0)],
    ({ g, float }) => [o.concat(g, [float([2, 1]), float([2, 2]), float([2, 3])], 1)],
    ({ g, float }) => [o.concat(g, [float([1, 2, 2, 2]), float([1, 1, 2, 2])], 1)],
    ({ g, float }) => twice((graph, a, b) => o.concat(graph, [a, b], 0), g, float([2, 2])),
    ({ g, ints }) => [o.concat(g, [ints([1], [1]), ints([2], [2, 3])], 0)],
  ],
  Slice: [
    ({ g, float }) => [o.slice(g, float([5]), 0, 1, 3)],
    ({ g, float }) => [o.slice(g, float([2, 5]), 1, 0, 4)],
    ({ g, float }) => [o.slice(g, float([2, 3, 2, 4]), 2, 1, 2)],
    ({ g, ints }) => [o.slice(g, ints([4], [1, 2, 3, 4]), 0, 3, 4)],
  ],
  Pad: [
    ({ g, float }) => [o.pad(g, float([3]), 0, 1, 2)],
    ({ g, float }) => [o.pad(g, float([2, 3]), 1, 0, 2)],
    ({ g, float }) => [o.pad(g, float([2, 1, 3, 2]), 2, 2, 0)],
  ],
  Gather: [
    ({ g, float, ints }) => [o.gather(g, float([4, 3]), ints([3], [2, 0, 2]))],
    ({ g, float, ints }) => [o.gather(g, float([4]), ints([2, 2], [3, 3, 3, 0]))],
    ({ g, float, ints }) => [o.gather(g, float([3, 2, 2]), ints([2], [1, 1]))],
    ({ g, float, ints }) => [o.gather(g, float([3, 2]), ints([], [1]))],
    ({ g, float, ints }) => [o.gather(g, float([1, 1]), ints([1, 1], [0]))],
  ],
  ScatterAdd: [
    ({ g, float, ints }) => [
      o.scatterAdd(g, float([4, 3]), ints([5], [2, 0, 2, 2, 3]), float([5, 3])),
    ],
    ({ g, float, ints }) => [o.scatterAdd(g, float([3]), ints([4], [1, 1, 1, 1]), float([4]))],
    ({ g, float, ints }) => [
      o.scatterAdd(g, float([3, 2, 2]), ints([2], [2, 0]), float([2, 2, 2])),
    ],
    ({ g, float, ints }) => [o.scatterAdd(g, float([1, 1]), ints([1], [0]), float([1, 1]))],
  ],
  PickColumn: [
    ({ g, float, ints }) => [columns.pickColumn(g, float([3, 4]), ints([3, 1], [3, 0, 3]))],
    ({ g, float, ints }) => [columns.pickColumn(g, float([1, 1]), ints([1, 1], [0]))],
  ],
  AddColumn: [
    ({ g, float, ints }) => [
      columns.addColumn(g, float([3, 4]), ints([3, 1], [3, 0, 3]), float([3, 1])),
    ],
    ({ g, float, ints }) => [columns.addColumn(g, float([1, 1]), ints([1, 1], [0]), float([1, 1]))],
  ],
  GatherColumns: [
    ({ g, float, ints }) => [columns.gatherColumns(g, float([3, 4]), ints([3], [2, 0, 2]))],
    ({ g, float, ints }) => [columns.gatherColumns(g, float([1, 1]), ints([1], [0]))],
  ],
  ScatterColumns: [
    ({ g, float, ints }) => [
      columns.scatterColumns(g, float([3, 4]), ints([3], [2, 0, 2]), float([3, 3])),
    ],
    ({ g, float, ints }) => [
      columns.scatterColumns(g, float([1, 1]), ints([1], [0]), float([1, 1])),
    ],
  ],
};

/** Every case with a title. */
export const namedCases: readonly {
  readonly op: string;
  readonly title: string;
  readonly build: OpCase;
}[] = Object.entries(opCases).flatMap(([op, cases]) =>
  cases.map((build, index) => ({ op, title: `${op} ${index}`, build })),
);

function twice(op: (g: Graph, a: Value, b: Value) => Value, g: Graph, x: Value): readonly Value[] {
  return [op(g, x, x)];
}

function lastAxis(op: (g: Graph, x: Value) => Value): readonly OpCase[] {
  const cases = [[1], [5], [2, 3], [2, 2, 4], [2, 1, 3, 2]].map(
    (shape): OpCase =>
      ({ g, float }) => [op(g, float(shape))],
  );
  return [...cases, ({ g, float }) => [op(g, float([2, 6], -60, 60))]];
}

function gemm(a: Shape, b: Shape, c: Shape, options: Required<o.MatMulOptions>): OpCase {
  return ({ g, frozen }) => [o.gemm(g, frozen(a), frozen(b), frozen(c), options)];
}

function attention(
  batch: number,
  length: number,
  heads: number,
  groups: number,
  dim: number,
): OpCase {
  return ({ g, float }) => {
    const shared = [batch, length, groups, dim];
    const q = float([batch, length, heads, dim]);
    return [o.causalAttention(g, q, float(shared), float(shared), 1 / Math.sqrt(dim))];
  };
}

function nBits(
  shape: Shape,
  out: number,
  { bits, group }: { readonly bits: number; readonly group: number },
): OpCase {
  return ({ g, float, frozen, floats, bytes, dataOf }) => {
    const columns = at(shape, shape.length - 1);
    const groups = columns / group;
    const zeroWidth = Math.ceil((groups * bits) / 8);
    const codes = bytes([out, (columns * bits) / 8]);
    const scales = frozen([out, groups], 0.4 / 2 ** bits, 8 / 2 ** bits);
    const zeros = bytes([out, zeroWidth]);
    const [packed, steps, middles] = [dataOf(codes), dataOf(scales), dataOf(zeros)];
    const code = (of: ArrayLike<number>, row: number, width: number, index: number): number => {
      const bit = index * bits;
      return (at(of, row * width + Math.floor(bit / 8)) >> (bit % 8)) & (2 ** bits - 1);
    };
    const weights = Array.from({ length: out * columns }, (_, position) => {
      const [row, column] = [Math.floor(position / columns), position % columns];
      const of = Math.floor(column / group);
      const own = code(packed, row, (columns * bits) / 8, column);
      return at(steps, row * groups + of) * (own - code(middles, row, zeroWidth, of));
    });
    const weight = { in: columns, out, bits, group, decoded: floats([out, columns], weights) };
    return [matmulNBits(g, [float(shape), codes, scales, zeros], weight)];
  };
}

function nf4(shape: Shape, out: number, blockSize: number): OpCase {
  return ({ g, float, frozen, floats, bytes, dataOf }) => {
    const columns = at(shape, shape.length - 1);
    const count = out * columns;
    const codes = bytes([count / 2]);
    const absmax = frozen([count / blockSize], 0.1, 2);
    const [packed, scales] = [dataOf(codes), dataOf(absmax)];
    const weights = Array.from({ length: count }, (_, position) => {
      const byte = at(packed, position >> 1);
      const code = position % 2 === 0 ? byte >> 4 : byte & 15;
      return at(nf4Values, code) * at(scales, Math.floor(position / blockSize));
    });
    const decoded = floats([out, columns], weights);
    const weight = { in: columns, out, blockSize, decoded };
    return [matmulNF4(g, float(shape), codes, absmax, weight)];
  };
}
