/** @file The memory of one program's intermediate results, from the lifetimes of its values. */
import { dtypeBytes } from "../../shared/dtypes.ts";
import type { Graph, OpName, Value } from "../core/graph.ts";
import { liveNodes, valueElements } from "../core/graph.ts";
import { fuse } from "../core/fuse.ts";

/** Operators that give their input another shape without touching it. */
const views: ReadonlySet<OpName> = new Set(["Reshape"]);

/** Elementwise operators, whose result can take the place of an input that nothing reads afterwards. */
const inPlace: ReadonlySet<OpName> = new Set([
  "Add",
  "Sub",
  "Mul",
  "Div",
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
  "Softmax",
  "LogSoftmax",
  "Maximum",
  "Minimum",
]);

export interface ProgramMemory {
  /** Most bytes of intermediate results that exist at once; inputs and outputs are their givers'. */
  readonly intermediates: number;
  /** Bytes of constants, held as long as the program. */
  readonly constants: number;
}

export function programMemory(source: Graph): ProgramMemory {
  const { graph } = fuse(source);
  const nodes = liveNodes(graph);
  // A view lives in the memory of what it views.
  const owners = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => owners.get(value) ?? value;
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, index) => {
    if (views.has(node.op))
      for (const output of node.outputs) owners.set(output, ownerOf(node.inputs[0] ?? output));
    for (const input of node.inputs) lastUse.set(ownerOf(input), index);
  });
  const given = new Set<Value>([
    ...graph.inputs.map(({ value }) => value),
    ...[...graph.outputs.values()].map(ownerOf),
  ]);

  let constants = 0;
  let held = 0;
  let most = 0;
  const alive = new Map<Value, number>();
  const release = (index: number, values: readonly Value[]): void => {
    for (const value of values.map(ownerOf)) {
      if (lastUse.get(value) !== index) continue;
      held -= alive.get(value) ?? 0;
      alive.delete(value);
    }
  };
  nodes.forEach((node, index) => {
    if (node.op === "Constant") {
      for (const output of node.outputs) constants += bytesOf(output);
      return;
    }
    if (views.has(node.op)) return;
    if (inPlace.has(node.op)) release(index, node.inputs);
    for (const output of node.outputs) {
      if (given.has(output) || !lastUse.has(output)) continue;
      alive.set(output, bytesOf(output));
      held += bytesOf(output);
    }
    most = Math.max(most, held);
    release(index, node.inputs);
  });
  return { intermediates: most, constants };
}

export function bytesOf(value: Value): number {
  return valueElements(value) * dtypeBytes[value.dtype];
}
