/** @file A small graph with data, as the tests of gradients and of each backend run it. */
import type { DType, Shape } from "../../../src/shared/dtypes.ts";
import { elementCount } from "../../../src/shared/dtypes.ts";
import type { Graph, Value } from "../../../src/engine/core/graph.ts";
import { newGraph } from "../../../src/engine/core/graph.ts";

/** Declares inputs together with their data. */
export interface CaseBuilder {
  readonly g: Graph;
  /** Uniform in [low, high), in a fixed order; gradients are checked. */
  readonly float: (shape: Shape, low?: number, high?: number) => Value;
  /** The same, but without a gradient. */
  readonly frozen: (shape: Shape, low?: number, high?: number) => Value;
  readonly floats: (shape: Shape, values: readonly number[]) => Value;
  readonly ints: (shape: Shape, values: readonly number[]) => Value;
  readonly bools: (shape: Shape) => Value;
  readonly bytes: (shape: Shape) => Value;
  /** The data of an input declared before. */
  readonly dataOf: (value: Value) => ArrayLike<number>;
}

export type CaseData = Float32Array | Int32Array | Uint8Array;

/** Builds a graph and returns its outputs. */
export type OpCase = (builder: CaseBuilder) => readonly Value[];

export interface CaseGraph {
  readonly graph: Graph;
  readonly outputs: readonly Value[];
  readonly data: ReadonlyMap<string, CaseData>;
  /** Inputs whose gradients are checked, by name. */
  readonly trained: ReadonlyMap<string, Value>;
}

/** A case as a graph with outputs `y0`, `y1`, …. */
export function buildCase(build: OpCase): CaseGraph {
  const graph = newGraph();
  const data = new Map<string, CaseData>();
  const trained = new Map<string, Value>();
  const random = generator(1);
  const declare = (dtype: DType, shape: Shape, values: CaseData): Value => {
    const name = `x${data.size}`;
    data.set(name, values);
    return graph.input(name, dtype, shape);
  };
  const uniform = (shape: Shape, low: number, high: number): Float32Array =>
    Float32Array.from({ length: elementCount(shape) }, () => low + (high - low) * random());
  const outputs = build({
    g: graph,
    float: (shape, low = -2, high = 2) => {
      const value = declare("float32", shape, uniform(shape, low, high));
      trained.set(`x${data.size - 1}`, value);
      return value;
    },
    frozen: (shape, low = -2, high = 2) => declare("float32", shape, uniform(shape, low, high)),
    floats: (shape, values) => declare("float32", shape, Float32Array.from(values)),
    ints: (shape, values) => declare("int32", shape, Int32Array.from(values)),
    bools: (shape) => declare("bool", shape, Uint8Array.from(uniform(shape, 0, 2))),
    bytes: (shape) => declare("uint8", shape, Uint8Array.from(uniform(shape, 0, 256))),
    dataOf: (value) => {
      const input = graph.inputs.find((declared) => declared.value === value);
      return data.get(input?.name ?? "") ?? [];
    },
  });
  outputs.forEach((value, index) => graph.output(`y${index}`, value));
  return { graph, outputs, data, trained };
}

/** Marsaglia's xorshift: numbers in [0, 1), the same on every machine. */
export function generator(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
