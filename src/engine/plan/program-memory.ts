/** @file The memory that a compiled program keeps for its intermediate results, from the lifetimes of its values. */
import { dtypeBytes, elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import { fuse } from "../core/fuse.ts";
import type { Graph, Node, OpName, Value } from "../core/graph.ts";
import { liveNodes, valueElements } from "../core/graph.ts";
import { broadcast, sameShape } from "../core/shapes.ts";
import type { Arena, Chunk } from "./arena.ts";
import { newArena } from "./arena.ts";

export interface ProgramMemory {
  /** Most bytes of intermediate results that exist at once; inputs and outputs are their givers'. */
  readonly intermediates: number;
  /** Bytes that the program's arena holds as long as the program lives; see {@link Arena.resident}. */
  readonly arena: (heapBytes: number) => number;
  /** Bytes of constants, held as long as the program. */
  readonly constants: number;
  /** Bytes of the session itself: its nodes, kernels and threads. */
  readonly session: number;
}

/**
 * What a session of ONNX Runtime takes beside tensors, measured: sessions of a layer's, a head's and an
 * embedding's programs, 32 of each; `npm run bench -- memory` holds it against runs of many lengths.
 */
const sessionBytes = { each: 130e3, node: 12e3 } as const;

/** Operators whose result ONNX Runtime writes over an input of the same shape that nothing reads afterwards. */
const inPlace: ReadonlySet<OpName> = new Set([
  "Tanh",
  "Sigmoid",
  "Relu",
  "Softmax",
  "LogSoftmax",
  "CrossEntropy",
  "Cast",
  "ScatterAdd",
  "AddColumn",
]);

/** A run twice over: the second finds the arena as the first left it. */
const replays = 2;

export function programMemory(source: Graph): ProgramMemory {
  const { graph } = fuse(source);
  const nodes = executionOrder(graph);
  const plan = planBuffers(graph, nodes);
  const given = new Set(graph.outputs.values());
  const arena: Arena = newArena();
  let most = 0;
  for (let replay = 0; replay < replays; replay++) {
    const chunks = new Map<Value, Chunk>();
    let held = 0;
    const take = (bytes: number): Chunk => {
      held += bytes;
      most = Math.max(most, held);
      return arena.allocate(bytes);
    };
    const give = (chunk: Chunk, bytes: number): void => {
      held -= bytes;
      arena.free(chunk);
    };
    nodes.forEach((node, index) => {
      for (const value of plan.starts[index] ?? []) chunks.set(value, take(bytesOf(value)));
      const scratch = scratchOf(node, given).map((bytes) => [take(bytes), bytes] as const);
      for (const [chunk, bytes] of scratch) give(chunk, bytes);
      for (const value of plan.ends[index] ?? []) {
        const chunk = chunks.get(value);
        invariant(chunk, "a buffer ends that did not begin");
        give(chunk, bytesOf(value));
      }
    });
  }
  const constants = nodes
    .flatMap(({ inputs }) => inputs)
    .filter((value) => graph.producer(value)?.op === "Constant");
  return {
    intermediates: most,
    arena: (heapBytes) => arena.resident(heapBytes),
    constants: [...new Set(constants)].reduce((sum, value) => sum + bytesOf(value), 0),
    session: sessionBytes.each + sessionBytes.node * nodes.length,
  };
}

export function bytesOf(value: Value): number {
  return valueElements(value) * dtypeBytes[value.dtype];
}

/** Of `value` spread over the shape of `over`. */
function broadcastBytes(value: Value, over: Value): number {
  return elementCount(broadcast("Where", value.shape, over.shape)) * dtypeBytes[value.dtype];
}

/** [batch, heads, length, length] in float32, of queries [batch, length, heads, dim]. */
function scoreBytes({ shape: [batch = 1, length = 1, heads = 1] }: Value): number {
  return 4 * batch * heads * length * length;
}

/** Bytes that a kernel takes for the time of its call. */
function scratchOf(node: Node, given: ReadonlySet<Value>): readonly number[] {
  const { op, inputs, outputs, attributes } = node;
  // What is written as an operator and a view of its result is copied where it leaves the program.
  const copied = outputs.filter((output) => given.has(output)).map(bytesOf);
  switch (op) {
    case "MatMulNF4":
    case "MatMulNBits":
      // It expands the whole matrix.
      return "in" in attributes ? [4 * attributes.in * attributes.out] : [];
    case "CausalAttention":
      // Queries, keys and values with the heads first, and all scores.
      return [...copied, ...inputs.map(bytesOf), scoreBytes(at(inputs, 0))];
    case "Where":
      // Both choices, each with zeros where the other stands.
      return [1, 2].map((choice) => broadcastBytes(at(inputs, choice), at(inputs, 0)));
    case "Rope":
      return copied;
    case "ScatterAdd":
      // Each element's row.
      return [elementCount(at(inputs, 2).shape) * dtypeBytes.int32];
    default:
      return [];
  }
}

/**
 * The nodes in the order in which ONNX Runtime runs them: from each result that nothing reads, the last first,
 * down to what it needs, later nodes first.
 */
function executionOrder(graph: Graph): readonly Node[] {
  const nodes = liveNodes(graph).filter(({ op }) => op !== "Constant");
  const places = new Map(nodes.map((node, index) => [node, index]));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const before = (node: Node): readonly Node[] => {
    const found = new Set<Node>();
    for (const input of node.inputs) {
      const producer = graph.producer(input);
      if (producer && places.has(producer)) found.add(producer);
    }
    return [...found].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  };
  const stack = nodes
    .filter(({ outputs }) => !outputs.some((output) => read.has(output)))
    .map((node) => ({ node, done: false }));
  const visited = new Set<Node>();
  const order: Node[] = [];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { node, done } = entry;
    if (done) order.push(node);
    if (done || visited.has(node)) continue;
    visited.add(node);
    stack.push({ node, done: true });
    for (const needed of before(node))
      if (!visited.has(needed)) stack.push({ node: needed, done: false });
  }
  return order;
}

interface BufferPlan {
  /** By the node's place: values whose own memory begins with it. */
  readonly starts: readonly (readonly Value[])[];
  /** By the node's place: of the values that began, those whose memory nobody needs after it. */
  readonly ends: readonly (readonly Value[])[];
}

/** Which values share memory, as ONNX Runtime plans it: views, results in place, and dead memory of the same shape. */
function planBuffers(graph: Graph, nodes: readonly Node[]): BufferPlan {
  const owners = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => {
    const owner = owners.get(value);
    return owner === undefined ? value : ownerOf(owner);
  };
  const given = new Set<Value>([
    ...graph.inputs.map(({ value }) => value),
    ...graph.outputs.values(),
  ]);
  const isGiven = (value: Value): boolean =>
    given.has(value) || graph.producer(value)?.op === "Constant";
  // Readers left of each buffer; those of a view are its owner's.
  const readers = new Map<Value, number>();
  const read = (value: Value, count: number): number => {
    const left = (readers.get(ownerOf(value)) ?? 0) + count;
    readers.set(ownerOf(value), left);
    return left;
  };
  for (const node of nodes)
    if (node.op === "Reshape" && !given.has(at(node.outputs, 0)))
      owners.set(at(node.outputs, 0), at(node.inputs, 0));
  const counts = new Map<Value, number>();
  for (const { inputs } of nodes)
    for (const input of inputs) counts.set(input, (counts.get(input) ?? 0) + 1);
  const starts: Value[][] = [];
  const lastUse = new Map<Value, number>();
  const dead: Value[] = [];
  nodes.forEach((node, index) => {
    const begun: Value[] = [];
    for (const output of node.outputs) {
      // The loss is picked from the log-probabilities, whoever else reads them.
      if (given.has(output) || !(counts.has(output) || node.op === "CrossEntropy")) continue;
      if (owners.has(output)) {
        read(output, counts.get(output) ?? 0);
        continue;
      }
      const over = inPlace.has(node.op)
        ? node.inputs.find(
            (input) =>
              !isGiven(ownerOf(input)) &&
              sameBytes(input, output) &&
              readers.get(ownerOf(input)) === 1,
          )
        : undefined;
      const reused = over ?? takeFirst(dead, (value) => sameBytes(value, output));
      if (reused === undefined) begun.push(output);
      else owners.set(output, ownerOf(reused));
      read(output, counts.get(output) ?? 0);
    }
    starts.push(begun);
    for (const value of [...node.inputs, ...node.outputs]) {
      const owner = ownerOf(value);
      if (!isGiven(owner)) lastUse.set(owner, index);
    }
    for (const input of node.inputs) {
      if (isGiven(ownerOf(input))) continue;
      if (read(input, -1) === 0) dead.unshift(ownerOf(input));
    }
  });
  const ends: Value[][] = nodes.map(() => []);
  const begun = new Set(starts.flat());
  for (const [value, index] of lastUse) if (begun.has(value)) at(ends, index).push(value);
  return { starts, ends };
}

function sameBytes(a: Value, b: Value): boolean {
  return sameShape(a.shape, b.shape) && dtypeBytes[a.dtype] === dtypeBytes[b.dtype];
}

function takeFirst(values: Value[], fits: (value: Value) => boolean): Value | undefined {
  const index = values.findIndex(fits);
  return index < 0 ? undefined : values.splice(index, 1)[0];
}
