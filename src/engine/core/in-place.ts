/** @file Says which outputs of a program may lie in the memory of an input. */
import { at } from "../../shared/errors.ts";
import type { Graph, Node, OpName, Value } from "./graph.ts";
import { liveNodes } from "./graph.ts";
import { sameShape } from "./shapes.ts";

/** Operators that read each element of an input of the output's shape before they write that element. */
const elementwise: ReadonlySet<OpName> = new Set<OpName>([
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Maximum",
  "Minimum",
  "Where",
  "Neg",
  "Exp",
  "Log",
  "Sqrt",
  "Reciprocal",
  "Tanh",
  "Erf",
  "Sigmoid",
  "Relu",
  "Abs",
  "Sign",
  "Round",
  "Silu",
  "Gelu",
]);

/** Operators that first copy one input to the output, and then add to it; the input's index. */
const accumulating: { readonly [Op in OpName]?: number } = { Gemm: 2, ScatterAdd: 0, AddColumn: 0 };

/**
 * Whether `output` may be written over `input`: whatever reads the input either has to be done before
 * the output's node can start, or is that node, and overwrites nothing that it still needs.
 */
export function mayOverwrite(graph: Graph, input: Value, output: Value): boolean {
  if (input === output) return true;
  if (input.dtype !== output.dtype || !sameShape(input.shape, output.shape)) return false;
  const writer = graph.producer(output);
  if (!writer) return false;
  const before = ancestors(graph, writer);
  return liveNodes(graph)
    .filter((node) => node.inputs.includes(input))
    .every((reader) => before.has(reader) || (reader === writer && writesInPlace(writer, input)));
}

function writesInPlace(node: Node, input: Value): boolean {
  if (elementwise.has(node.op)) return true;
  const place = accumulating[node.op];
  return (
    place !== undefined &&
    at(node.inputs, place) === input &&
    node.inputs.every((value, index) => index === place || value !== input)
  );
}

/** All nodes whose results a node needs. */
function ancestors(graph: Graph, node: Node): ReadonlySet<Node> {
  const found = new Set<Node>();
  const open = [node];
  for (let next = open.pop(); next; next = open.pop())
    for (const value of next.inputs) {
      const producer = graph.producer(value);
      if (!producer || found.has(producer)) continue;
      found.add(producer);
      open.push(producer);
    }
  return found;
}
