/** @file The reverse walk: gradients of one graph's values, appended to the same graph. */
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, NodeOf, OpName, Value } from "../core/graph.ts";
import { add, reduceSum, reshape } from "../core/ops.ts";
import { sameShape } from "../core/shapes.ts";
import { vjpRules } from "./rules.ts";

/**
 * Appends the gradients of `wrt` for given gradients of some values (`seeds`: value → its gradient).
 * A value that nothing flows to has no entry. Only what leads from `wrt` to a seed is walked: frozen
 * weights never get a gradient.
 */
export function differentiate(
  g: Graph,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
): ReadonlyMap<Value, Value> {
  const nodes = [...g.nodes];
  const wanted = reachedFrom(g, wrt);
  const gradients = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    const reduced = undoBroadcast(g, gradient, value);
    const sum = gradients.get(value);
    gradients.set(value, sum === undefined ? reduced : add(g, sum, reduced));
  };
  for (const [value, gradient] of seeds) if (wanted.has(value)) accumulate(value, gradient);
  for (const node of nodes.toReversed()) {
    const dys = node.outputs.map((output) => gradients.get(output));
    if (dys.every((dy) => dy === undefined)) continue;
    for (const [index, output] of node.outputs.entries()) {
      const [beside, dy] = [g.beside.get(output), dys[index]];
      if (!beside || !dy) continue;
      const pulled = beside.pull(dy);
      beside.of.forEach((value, place) => {
        if (wanted.has(value)) accumulate(value, at(pulled, place));
      });
    }
    const inputGradients = pullBack(g, dys, node);
    node.inputs.forEach((input, index) => {
      const gradient = inputGradients[index];
      if (gradient !== undefined && wanted.has(input)) accumulate(input, gradient);
    });
  }
  const result = new Map<Value, Value>();
  for (const value of wrt) {
    const gradient = gradients.get(value);
    if (gradient !== undefined) result.set(value, gradient);
  }
  return result;
}

function pullBack<Op extends OpName>(
  g: Graph,
  dys: readonly (Value | undefined)[],
  node: NodeOf<Op>,
): readonly (Value | undefined)[] {
  const rule = vjpRules[node.op];
  invariant(rule !== "nondifferentiable", `a gradient reached ${node.op}, which has none`);
  // Further outputs serve the rules themselves; none passes their gradients on.
  invariant(
    dys.slice(1).every((dy) => dy === undefined),
    `a gradient reached a second output of ${node.op}, whose rule would drop it`,
  );
  return rule(g, dys, node);
}

/** Values that depend on any of `sources` through differentiable operators. */
function reachedFrom(g: Graph, sources: readonly Value[]): ReadonlySet<Value> {
  const reached = new Set<Value>(sources);
  for (const node of g.nodes) {
    for (const output of node.outputs)
      if (g.beside.get(output)?.of.some((value) => reached.has(value))) reached.add(output);
    if (vjpRules[node.op] === "nondifferentiable") continue;
    if (node.inputs.some((input) => reached.has(input)))
      for (const output of node.outputs) reached.add(output);
  }
  return reached;
}

/** Sums a gradient over the axes along which its value was broadcast. */
function undoBroadcast(g: Graph, gradient: Value, value: Value): Value {
  if (sameShape(gradient.shape, value.shape)) return gradient;
  const extra = gradient.shape.length - value.shape.length;
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter(
      (axis) => axis < extra || (at(value.shape, axis - extra) === 1 && gradient.shape[axis] !== 1),
    );
  return reshape(g, reduceSum(g, gradient, axes), value.shape);
}
