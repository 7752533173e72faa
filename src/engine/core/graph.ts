/** @file The graph: an SSA list of typed operator nodes whose shapes and dtypes are known when a node is made. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { InternalError, at, invariant } from "../../shared/errors.ts";

/** One tensor of a graph. Values compare by identity. */
export interface Value {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: Shape;
}

type NoAttributes = Readonly<Record<string, never>>;

/** Data of a constant, in the array type of its dtype (booleans as 0/1 bytes). */
export type ConstantData = Float32Array | Int32Array | Uint8Array;

/** Every operator with its attributes; `onnx/lower.ts` says how each becomes ONNX, `autodiff/rules.ts` its gradient. */
export interface OpAttributes {
  Constant: { readonly data: ConstantData };
  // Elementwise, with NumPy broadcasting.
  Add: NoAttributes;
  Sub: NoAttributes;
  Mul: NoAttributes;
  Div: NoAttributes;
  Maximum: NoAttributes;
  Minimum: NoAttributes;
  Equal: NoAttributes;
  Less: NoAttributes;
  Where: NoAttributes;
  Neg: NoAttributes;
  Exp: NoAttributes;
  Log: NoAttributes;
  Sqrt: NoAttributes;
  Reciprocal: NoAttributes;
  Tanh: NoAttributes;
  Erf: NoAttributes;
  Sigmoid: NoAttributes;
  Relu: NoAttributes;
  Abs: NoAttributes;
  Sign: NoAttributes;
  Round: NoAttributes;
  /** x, through which no gradient flows. */
  Detach: NoAttributes;
  /** x; the gradient of the second input, of one element, is a measurement: Σ |x ∘ dx|. */
  Gauge: NoAttributes;
  /** x · sigmoid(x). */
  Silu: NoAttributes;
  /** x · Φ(x), exactly or by the tanh approximation. */
  Gelu: { readonly approximate: "none" | "tanh" };
  Cast: { readonly to: DType };
  // Products.
  /** alpha · op(a) op(b) over the last two axes, leading axes broadcast; op transposes the last two. */
  MatMul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  /** alpha · op(a) op(b) + c for matrices a, b and c [m, n] or [n]; made by `fuse`, after differentiation. */
  Gemm: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  /** Causal softmax(q kᵀ scale) v: q [batch, length, heads, dim], k and v [batch, length, groups, dim]. */
  CausalAttention: { readonly scale: number };
  /** x Wᵀ with W [out, in] held as NF4 codes; inputs x, codes, absmax; `decoded` is W for the backward product. */
  MatMulNF4: {
    readonly in: number;
    readonly out: number;
    readonly blockSize: number;
    readonly decoded: Value;
  };
  /** x Wᵀ with W [out, in] on uniform grids by groups along its rows; inputs x, codes, scales, zeros; `decoded` as above. */
  MatMulNBits: {
    readonly in: number;
    readonly out: number;
    readonly bits: number;
    readonly group: number;
    readonly decoded: Value;
  };
  // Reductions; reduced axes stay with size 1.
  ReduceSum: { readonly axes: readonly number[] };
  ReduceMax: { readonly axes: readonly number[] };
  // Over the last axis.
  Softmax: NoAttributes;
  LogSoftmax: NoAttributes;
  /** inputs x, scale [n]; outputs y, 1/rms with last axis 1. */
  RmsNorm: { readonly epsilon: number };
  /** inputs x, scale [n], bias [n]; outputs y, mean, 1/std with last axis 1. */
  LayerNorm: { readonly epsilon: number };
  /** Rotary embedding of x [batch, seq, heads, dim] by cos, sin [batch or 1, seq, 1, dim/2], halves rotated. */
  Rope: NoAttributes;
  /** inputs logits [n, classes], labels int32 [n] (negative: ignored); outputs loss [n, 1], log-probabilities [n, classes]. */
  CrossEntropy: NoAttributes;
  // Layout.
  Reshape: { readonly shape: Shape };
  Transpose: { readonly perm: readonly number[] };
  Expand: { readonly shape: Shape };
  Concat: { readonly axis: number };
  Slice: { readonly axis: number; readonly start: number; readonly end: number };
  /** Zeros around x along one axis. */
  Pad: { readonly axis: number; readonly before: number; readonly after: number };
  // Indices are int32.
  /** Rows of a table: inputs table [rows, …], indices [any]. */
  Gather: NoAttributes;
  /** acc [rows, …] plus updates [k, …] summed into the rows that indices [k] name. */
  ScatterAdd: NoAttributes;
  /** x [n, m] at column indices [n, 1]. */
  PickColumn: NoAttributes;
  /** x [n, m] plus updates [n, 1] at column indices [n, 1]. */
  AddColumn: NoAttributes;
  /** Columns of x [n, m] at indices [k]: [n, k]. */
  GatherColumns: NoAttributes;
  /** x [n, m] plus updates [n, k] summed into the columns that indices [k] name. */
  ScatterColumns: NoAttributes;
}

export type OpName = keyof OpAttributes;

export interface NodeOf<Op extends OpName> {
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: OpAttributes[Op];
}

export type Node = NodeOf<OpName>;

/** How a program input reaches the program: `late` ones are decoded into a shared buffer just before use. */
export type Binding = "resident" | "late";

export interface GraphInput {
  readonly name: string;
  readonly value: Value;
  readonly binding: Binding;
}

/** A graph under construction; nodes are in topological order, equal nodes are made once. */
export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly nodes: readonly Node[];
  readonly outputs: ReadonlyMap<string, Value>;
  /** Declares a program input. */
  input(name: string, dtype: DType, shape: Shape, binding?: Binding): Value;
  /** Appends a node, or returns the outputs of an equal one. */
  emit<Op extends OpName>(
    op: Op,
    inputs: readonly Value[],
    attributes: OpAttributes[Op],
    outputs: readonly { readonly dtype: DType; readonly shape: Shape }[],
  ): readonly Value[];
  output(name: string, value: Value): void;
  /** The node that makes `value`; undefined for inputs. */
  producer(value: Value): Node | undefined;
  /** Values that a backward program must compute again rather than keep. */
  readonly recomputed: Set<Value>;
  /** Gradients of a value that other values get beside those that its operators give. */
  readonly beside: Map<Value, BesideGradients>;
}

/** How a value depends on others in a way that no operator shows. */
export interface BesideGradients {
  readonly of: readonly Value[];
  /** The gradients of those from the value's own. */
  readonly pull: (dy: Value) => readonly Value[];
}

export function newGraph(): Graph {
  const inputs: GraphInput[] = [];
  const nodes: Node[] = [];
  const outputs = new Map<string, Value>();
  const producers = new Map<Value, Node>();
  const known = new Map<string, readonly Value[]>();
  let nextId = 0;

  const newValue = (dtype: DType, shape: Shape): Value => {
    for (const size of shape)
      if (!Number.isSafeInteger(size) || size < 1)
        throw new InternalError(`a tensor cannot have shape [${shape.join(", ")}]`);
    return { id: nextId++, dtype, shape };
  };

  return {
    inputs,
    nodes,
    outputs,
    recomputed: new Set(),
    beside: new Map(),
    input(name, dtype, shape, binding = "resident") {
      invariant(!inputs.some((input) => input.name === name), `input ${name} is declared twice`);
      const value = newValue(dtype, shape);
      inputs.push({ name, value, binding });
      return value;
    },
    emit(op, nodeInputs, attributes, outputTypes) {
      const key = nodeKey(op, nodeInputs, attributes, at(outputTypes, 0));
      const existing = known.get(key);
      if (existing) return existing;
      const made = outputTypes.map(({ dtype, shape }) => newValue(dtype, shape));
      const node = { op, inputs: nodeInputs, outputs: made, attributes };
      nodes.push(node);
      for (const value of made) producers.set(value, node);
      known.set(key, made);
      return made;
    },
    output(name, value) {
      invariant(!outputs.has(name), `output ${name} is declared twice`);
      outputs.set(name, value);
    },
    producer: (value) => producers.get(value),
  };
}

/** Nodes that the outputs need, in order. */
export function liveNodes(graph: Graph): Node[] {
  const needed = new Set<Value>(graph.outputs.values());
  const live: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((value) => needed.has(value))) continue;
    live.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return live.reverse();
}

/** Bytes of constants above this are compared by identity, not by content. */
const comparableElements = 64;

const constantIds = new WeakMap<ConstantData, number>();
let nextConstantId = 0;

function nodeKey(
  op: OpName,
  inputs: readonly Value[],
  attributes: OpAttributes[OpName],
  first: { readonly dtype: DType; readonly shape: Shape },
): string {
  const parts: string[] = [op, first.dtype, first.shape.join("x"), inputs.map((v) => v.id).join()];
  for (const [name, value] of Object.entries(attributes))
    parts.push(`${name}=${attributeKey(value)}`);
  return parts.join("|");
}

function attributeKey(value: unknown): string {
  if (value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array) {
    if (value.length <= comparableElements) return Array.from(value, floatKey).join();
    const id = constantIds.get(value) ?? nextConstantId++;
    constantIds.set(value, id);
    return `#${id}`;
  }
  if (Array.isArray(value)) return value.join();
  return typeof value === "object" && value !== null ? "value" : String(value);
}

/** Tells 0 from −0, which arithmetic does too. */
function floatKey(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** Number of elements of a value. */
export function valueElements(value: Value): number {
  return elementCount(value.shape);
}
