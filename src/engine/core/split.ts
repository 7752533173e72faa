/** @file Cuts a graph that holds a pass and its gradients into a forward and a backward program, and programs into segments. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, Node, OpName, Value } from "./graph.ts";
import { fuse } from "./fuse.ts";
import { liveNodes, newGraph } from "./graph.ts";

/** A value that the forward program hands to the backward program. */
export interface Residual {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface ForwardBackward {
  readonly forward: Graph;
  readonly backward: Graph;
  readonly residuals: readonly Residual[];
}

/**
 * Operators whose results are kept for the backward program. All others cost little more than reading
 * what they are made of, and are computed again.
 */
const kept: ReadonlySet<OpName> = new Set([
  "MatMul",
  "MatMulNF4",
  "MatMulNBits",
  "Gemm",
  "Softmax",
  "LogSoftmax",
  "CrossEntropy",
  "CausalAttention",
  "Gather",
  "Rope",
]);

/**
 * Splits a traced graph with its gradients. `seeds` are the inputs that carry gradients in: what depends on them is the
 * backward program. With `checkpointing`, only program inputs are kept and the backward computes the
 * pass again (Chen et al., "Training Deep Nets with Sublinear Memory Cost").
 */
export function splitPasses(
  traced: Graph,
  forwardTraced: ReadonlyMap<string, Value>,
  backwardTraced: ReadonlyMap<string, Value>,
  tracedSeeds: readonly Value[],
  checkpointing: boolean,
): ForwardBackward {
  // Fused first, so that the sum of a product and an update is kept, and not both of its terms.
  for (const [name, value] of [...forwardTraced, ...backwardTraced]) traced.output(name, value);
  const fused = fuse(traced);
  const joint = fused.graph;
  const fusedOutputs = (outputs: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> =>
    new Map([...outputs].map(([name, value]) => [name, fused.valueOf(value)]));
  const forwardOutputs = fusedOutputs(forwardTraced);
  const backwardOutputs = fusedOutputs(backwardTraced);
  const seeds = tracedSeeds.map((seed) => fused.valueOf(seed));

  const fromSeed = new Set<Value>(seeds);
  for (const node of joint.nodes)
    if (node.inputs.some((input) => fromSeed.has(input)))
      for (const output of node.outputs) fromSeed.add(output);

  const residuals: { readonly value: Value; readonly residual: Residual }[] = [];
  const backward = copier(joint, (value, node) => {
    if (checkpointing || fromSeed.has(value)) return undefined;
    if (!kept.has(node.op) || joint.recomputed.has(value)) return undefined;
    const residual = {
      name: `residual.${residuals.length}`,
      dtype: value.dtype,
      shape: value.shape,
    };
    residuals.push({ value, residual });
    return residual.name;
  });
  for (const [name, value] of backwardOutputs) backward.graph.output(name, backward.copy(value));

  const forward = copier(joint, () => undefined);
  for (const [name, value] of forwardOutputs) forward.graph.output(name, forward.copy(value));
  for (const { value, residual } of residuals)
    forward.graph.output(residual.name, forward.copy(value));
  return {
    forward: forward.graph,
    backward: backward.graph,
    residuals: residuals.map(({ residual }) => residual),
  };
}

/** Copies a graph's live part, as it is. */
export function copyGraph(graph: Graph): Graph {
  const copy = copier(graph, () => undefined);
  for (const [name, value] of graph.outputs) copy.graph.output(name, copy.copy(value));
  return copy.graph;
}

/**
 * Cuts a graph so that no segment reads more than `most` late inputs: each of them can then be decoded
 * into one shared buffer just before its segment runs. Values that cross are outputs of one segment and
 * inputs of later ones, named `cross.N`.
 */
export function cutAtLateInputs(graph: Graph, most: number): readonly Graph[] {
  const late = new Map(
    graph.inputs
      .filter(({ binding }) => binding === "late")
      .map(({ name, value }) => [value, name]),
  );
  const nodes = liveNodes(graph);
  const groups: Node[][] = [[]];
  let held = new Set<Value>();
  for (const node of nodes) {
    const wanted = node.inputs.filter((input) => late.has(input));
    invariant(new Set(wanted).size <= most, `${node.op} reads more than ${most} late inputs`);
    const union = new Set([...held, ...wanted]);
    if (union.size > most && wanted.some((value) => !held.has(value))) {
      groups.push([]);
      held = new Set(wanted);
    } else held = union;
    at(groups, groups.length - 1).push(node);
  }
  if (groups.length === 1) return [graph];

  const segmentOf = new Map<Value, number>();
  groups.forEach((group, index) => {
    for (const node of group) for (const output of node.outputs) segmentOf.set(output, index);
  });
  const crossing = new Map<Value, string>();
  groups.forEach((group, index) => {
    for (const node of group)
      for (const input of node.inputs) {
        const made = segmentOf.get(input);
        // Constants are cheaper to repeat than to hand over.
        if (made === undefined || made === index || graph.producer(input)?.op === "Constant")
          continue;
        if (!crossing.has(input)) crossing.set(input, `cross.${crossing.size}`);
      }
  });
  return groups.map((_, index) => {
    const segment = copier(graph, (value) =>
      segmentOf.get(value) === index ? undefined : crossing.get(value),
    );
    for (const [value, name] of crossing)
      if (segmentOf.get(value) === index) segment.graph.output(name, segment.copy(value));
    for (const [name, value] of graph.outputs)
      if ((segmentOf.get(value) ?? 0) === index) segment.graph.output(name, segment.copy(value));
    return segment.graph;
  });
}

interface Copier {
  readonly graph: Graph;
  copy(value: Value): Value;
}

/** Copies values with what they need into a new graph; where `stopAt` gives a name, an input takes the node's place. */
function copier(source: Graph, stopAt: (value: Value, node: Node) => string | undefined): Copier {
  const graph = newGraph();
  const copies = new Map<Value, Value>();
  const declared = new Map(source.inputs.map((input) => [input.value, input]));

  const settle = (value: Value): Node | undefined => {
    if (copies.has(value)) return undefined;
    const input = declared.get(value);
    if (input) {
      copies.set(value, graph.input(input.name, value.dtype, value.shape, input.binding));
      return undefined;
    }
    const node = source.producer(value);
    invariant(node, `value ${value.id} has neither a producer nor an input`);
    const name = stopAt(value, node);
    if (name === undefined) return node;
    copies.set(value, graph.input(name, value.dtype, value.shape));
    return undefined;
  };

  return {
    graph,
    copy(target) {
      // Depth first with an explicit stack: a deep graph must not exhaust the call stack.
      const stack = [target];
      while (stack.length > 0) {
        const value = at(stack, stack.length - 1);
        const node = settle(value);
        const missing = node?.inputs.filter((input) => !copies.has(input)) ?? [];
        if (missing.length > 0) {
          stack.push(...missing.toReversed());
          continue;
        }
        stack.pop();
        if (!node || copies.has(value)) continue;
        const inputs = node.inputs.map((input) => {
          const copied = copies.get(input);
          invariant(copied, "an input was not copied");
          return copied;
        });
        const outputs = graph.emit(node.op, inputs, node.attributes, node.outputs);
        node.outputs.forEach((output, index) => {
          if (!copies.has(output)) copies.set(output, at(outputs, index));
        });
      }
      const copied = copies.get(target);
      invariant(copied, "the copy was not made");
      return copied;
    },
  };
}
