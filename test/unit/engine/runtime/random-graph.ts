/** @file Random graphs with their gradients: what single operators do not show, such as ONNX Runtime's own fusions. */
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import type { CaseData } from "../op-case.ts";
import { generator } from "../op-case.ts";

export interface RandomGraph {
  readonly graph: Graph;
  readonly data: ReadonlyMap<string, CaseData>;
}

interface Draw {
  readonly g: Graph;
  /** A whole number below `limit`. */
  readonly below: (limit: number) => number;
  /** A value made before. */
  readonly value: () => Value;
}

type Step = (draw: Draw) => Value | undefined;

/** Operators that keep numbers small, so that errors stay comparable. */
const steps: readonly Step[] = [
  ({ g, value }) => o.tanh(g, value()),
  ({ g, value }) => o.sigmoid(g, value()),
  ({ g, value }) => o.silu(g, value()),
  ({ g, value, below }) => o.gelu(g, value(), below(2) === 0 ? "none" : "tanh"),
  ({ g, value }) => o.relu(g, value()),
  ({ g, value }) => o.erf(g, value()),
  ({ g, value }) => o.neg(g, value()),
  ({ g, value }) => o.exp(g, o.tanh(g, value())),
  ({ g, value }) => o.log(g, o.add(g, o.sigmoid(g, value()), o.scalar(g, 0.5))),
  ({ g, value }) => o.reciprocal(g, o.add(g, o.exp(g, o.tanh(g, value())), o.scalar(g, 1))),
  ({ g, value }) => o.sqrt(g, o.add(g, o.sigmoid(g, value()), o.scalar(g, 0.1))),
  ({ g, value, below }) => o.scale(g, value(), below(5) - 2.5),
  pairwise(o.add),
  pairwise(o.add),
  pairwise(o.sub),
  pairwise((g, a, b) => o.mul(g, o.tanh(g, a), b)),
  pairwise((g, a, b) => o.div(g, a, o.add(g, o.sigmoid(g, b), o.scalar(g, 0.5)))),
  pairwise(o.maximum),
  pairwise(o.minimum),
  pairwise((g, a, b) => o.where(g, o.less(g, a, b), b, a)),
  matrix(o.softmax),
  matrix(o.logSoftmax),
  matrix((g, x) => o.rmsNorm(g, x, ramp(g, at(x.shape, x.shape.length - 1)), 1e-3)),
  matrix((g, x) => {
    const weights = ramp(g, at(x.shape, x.shape.length - 1));
    return o.layerNorm(g, x, weights, weights, 1e-3);
  }),
  product,
  product,
  product,
  ({ g, value, below }) => {
    const x = value();
    const order = x.shape.map((_, axis) => ({ axis, key: below(1000) }));
    const perm = order.toSorted((a, b) => a.key - b.key).map(({ axis }) => axis);
    return o.transpose(g, x, perm);
  },
  ({ g, value }) => {
    const x = value();
    return o.reshape(g, x, [...x.shape.slice(2), ...x.shape.slice(0, 2)]);
  },
  ({ g, value }) => {
    const x = value();
    return o.reshape(
      g,
      x,
      x.shape.filter((size) => size !== 1),
    );
  },
  ({ g, value, below }) => {
    const x = value();
    if (x.shape.length === 0) return undefined;
    const axis = below(x.shape.length);
    return below(2) === 0 ? o.reduceMean(g, x, [axis]) : o.reduceMax(g, x, [axis]);
  },
  ({ g, value, below }) => {
    const x = value();
    if (x.shape.length === 0 || elementCount(x.shape) > 200) return undefined;
    const axis = below(x.shape.length);
    return below(2) === 0
      ? o.pad(g, x, axis, below(2), below(3))
      : o.concat(g, [x, o.neg(g, x)], axis);
  },
  ({ g, value, below }) => {
    const x = value();
    if (x.shape.length === 0) return undefined;
    const axis = below(x.shape.length);
    const size = at(x.shape, axis);
    const start = below(size);
    return o.slice(g, x, axis, start, start + 1 + below(size - start));
  },
  ({ g, value, below }) => {
    const x = value();
    if (x.shape.length === 0) return undefined;
    const rows = Int32Array.from({ length: 3 }, () => below(at(x.shape, 0)));
    return o.gather(g, x, o.constant(g, "int32", [3], rows));
  },
];

/** A graph of up to `size` nodes; its outputs are all values that nothing reads, and the gradients of the inputs. */
export function randomGraph(seed: number, size: number): RandomGraph {
  const random = generator(seed + 1);
  const below = (limit: number): number => Math.floor(random() * limit);
  const g = newGraph();
  const data = new Map<string, CaseData>();
  const values: Value[] = [];
  for (const shape of [[4], [3, 4], [2, 3, 4], [4, 3], [2, 1, 4]]) {
    const name = `x${values.length}`;
    data.set(
      name,
      Float32Array.from({ length: elementCount(shape) }, () => 2 * random() - 1),
    );
    values.push(g.input(name, "float32", shape));
  }
  const inputs = [...values];
  const draw: Draw = { g, below, value: () => at(values, below(values.length)) };
  while (values.length < size) {
    const made = at(steps, below(steps.length))(draw);
    if (made && made.shape.length <= 4 && elementCount(made.shape) <= 600) values.push(made);
  }
  const read = new Set(g.nodes.flatMap((node) => node.inputs));
  const leaves = new Set(values.filter((value) => !read.has(value)));
  const parts = [...leaves].map((value) => {
    const bounded = o.tanh(g, value);
    return o.reshape(g, o.reduceMean(g, bounded, [...bounded.shape.keys()]), []);
  });
  const loss = parts.reduce((sum, part) => o.add(g, sum, part));
  g.output("loss", loss);
  const gradients = differentiate(g, new Map([[loss, o.scalar(g, 1)]]), inputs);
  inputs.forEach((input, index) => {
    const gradient = gradients.get(input);
    if (gradient) g.output(`d${index}`, gradient);
  });
  return { graph: g, data };
}

function pairwise(op: (g: Graph, a: Value, b: Value) => Value): Step {
  return ({ g, value }) => {
    const [a, b] = [value(), value()];
    const extra = a.shape.length - b.shape.length;
    const fit = a.shape.every((size, axis) => {
      const other = b.shape[axis - extra] ?? 1;
      return axis < extra || size === other || size === 1 || other === 1;
    });
    return extra >= 0 && fit ? op(g, a, b) : undefined;
  };
}

function matrix(op: (g: Graph, x: Value) => Value): Step {
  return ({ g, value }) => {
    const x = value();
    return x.shape.length > 0 && at(x.shape, x.shape.length - 1) > 1 ? op(g, x) : undefined;
  };
}

function product({ g, value, below }: Draw): Value | undefined {
  const [a, b] = [value(), value()];
  if (a.shape.length < 2 || b.shape.length < 2) return undefined;
  const [transA, transB] = [below(2) === 1, below(2) === 1];
  const inner = at(a.shape, a.shape.length - (transA ? 2 : 1));
  if (inner !== at(b.shape, b.shape.length - (transB ? 1 : 2))) return undefined;
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (leadA.length > 0 && leadB.length > 0 && leadA.join() !== leadB.join()) return undefined;
  return o.matmul(g, a, b, { transA, transB, alpha: below(2) === 0 ? 1 : 0.5 });
}

function ramp(g: Graph, size: number): Value {
  const data = Float32Array.from({ length: size }, (_, index) => 0.5 + index / size);
  return o.constant(g, "float32", [size], data);
}
