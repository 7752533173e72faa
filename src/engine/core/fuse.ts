/** @file Joins a product and the sum that follows it: y = x Wᵀ + c costs one pass over y instead of two. */
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { liveNodes, newGraph } from "./graph.ts";
import { sameShape } from "./shapes.ts";

export interface Fused {
  readonly graph: Graph;
  /** What stands for a live value of the source. */
  valueOf(value: Value): Value;
}

/** The live part of a graph, with every `MatMul` of matrices that only an `Add` reads made one `Gemm`. */
export function fuse(source: Graph): Fused {
  const nodes = liveNodes(source);
  const readers = new Map<Value, number>();
  for (const value of [...nodes.flatMap((node) => node.inputs), ...source.outputs.values()])
    readers.set(value, (readers.get(value) ?? 0) + 1);

  const graph = newGraph();
  const copies = new Map<Value, Value>();
  const copy = (value: Value): Value => {
    const copied = copies.get(value);
    invariant(copied, "a value is read before it is made");
    return copied;
  };
  const products = new Map<Node, Node>();
  for (const node of nodes) {
    const product = fusible(source, node, readers);
    if (product) products.set(node, product);
  }
  const absorbed = new Set(products.values());

  for (const { name, value, binding } of source.inputs)
    copies.set(value, graph.input(name, value.dtype, value.shape, binding));
  for (const node of nodes) {
    if (absorbed.has(node)) continue;
    const product = products.get(node);
    const outputs = product
      ? graph.emit(
          "Gemm",
          [...product.inputs, other(node, product)].map(copy),
          gemmAttributes(product),
          node.outputs,
        )
      : graph.emit(node.op, node.inputs.map(copy), node.attributes, node.outputs);
    node.outputs.forEach((output, index) => copies.set(output, at(outputs, index)));
  }
  for (const [name, value] of source.outputs) graph.output(name, copy(value));
  for (const value of source.recomputed) {
    const copied = copies.get(value);
    if (copied) graph.recomputed.add(copied);
  }
  return { graph, valueOf: copy };
}

/** The product that `node` adds something to, where nothing else reads it. */
function fusible(graph: Graph, node: Node, readers: ReadonlyMap<Value, number>): Node | undefined {
  if (node.op !== "Add") return undefined;
  const sum = at(node.outputs, 0);
  // The later product first: a sum of two becomes a chain, each adding to the one before.
  return node.inputs
    .map((input) => graph.producer(input))
    .findLast((product): product is Node => {
      if (product?.op !== "MatMul") return false;
      const y = at(product.outputs, 0);
      const rest = other(node, product);
      return (
        readers.get(y) === 1 &&
        product.inputs.every((input) => input.shape.length === 2) &&
        sameShape(y.shape, sum.shape) &&
        (sameShape(rest.shape, sum.shape) ||
          (rest.shape.length === 1 && rest.shape[0] === sum.shape[1]))
      );
    });
}

function other(sum: Node, product: Node): Value {
  const [a, b] = [at(sum.inputs, 0), at(sum.inputs, 1)];
  return a === product.outputs[0] ? b : a;
}

function gemmAttributes(product: Node): {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
} {
  const { attributes } = product;
  invariant(
    "transA" in attributes && "transB" in attributes && "alpha" in attributes,
    "a product lacks its attributes",
  );
  const { transA, transB, alpha } = attributes;
  return { transA, transB, alpha };
}
