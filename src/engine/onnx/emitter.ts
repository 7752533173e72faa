/** @file What a lowering rule writes to: ONNX nodes and initialisers, with names for the graph's values. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import type { ConstantData, Value } from "../core/graph.ts";

/** Where programs can run. */
export const devices = ["cpu", "webgpu", "cuda", "dml", "coreml"] as const;

export type Device = (typeof devices)[number];

export type OnnxAttribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] };

export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: OnnxAttributes;
}

export interface Initializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: ConstantData | BigInt64Array;
}

/** The domain of ONNX Runtime's own operators. */
export const microsoft = "com.microsoft";

export function int(value: number): OnnxAttribute {
  return { kind: "int", value };
}

export function float(value: number): OnnxAttribute {
  return { kind: "float", value };
}

export function text(value: string): OnnxAttribute {
  return { kind: "text", value };
}

export function ints(value: readonly number[]): OnnxAttribute {
  return { kind: "ints", value };
}

/** Takes the nodes of one model, in order. */
export interface Emitter {
  readonly device: Device;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  /** The name of a graph value. */
  name(value: Value): string;
  /** Whether anything reads the value: an operator's optional output is left out otherwise. */
  isUsed(value: Value): boolean;
  /** Appends a node that makes graph values or names taken from `fresh`. */
  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: OnnxAttributes,
    domain?: string,
  ): void;
  /** Appends a node with one new output, and names it. */
  call(
    opType: string,
    inputs: readonly string[],
    attributes?: OnnxAttributes,
    domain?: string,
  ): string;
  fresh(): string;
  /** An initialiser for a value of the graph. */
  constant(name: string, dtype: DType, shape: Shape, data: ConstantData): void;
  /** A vector of int64, the type in which ONNX takes shapes and axes. */
  int64(values: readonly number[], shape?: Shape): string;
  /** A number of no dimensions. */
  scalar(dtype: DType, value: number): string;
}

/** `names` gives inputs and outputs; all other values are numbered in order of use. */
export function newEmitter(
  device: Device,
  names: ReadonlyMap<Value, string>,
  used: ReadonlySet<Value>,
): Emitter {
  const nodes: OnnxNode[] = [];
  const initializers: Initializer[] = [];
  const known = new Map(names);
  const shared = new Map<string, string>();
  let count = 0;
  // No name of an input or output starts so.
  const fresh = (): string => `%${count++}`;

  const sharedInitializer = (
    key: string,
    dtype: DType,
    shape: Shape,
    data: ConstantData | BigInt64Array,
  ): string => {
    const existing = shared.get(key);
    if (existing !== undefined) return existing;
    const name = fresh();
    shared.set(key, name);
    initializers.push({ name, dtype, shape, data });
    return name;
  };

  const emitter: Emitter = {
    device,
    nodes,
    initializers,
    fresh,
    name(value) {
      const existing = known.get(value);
      if (existing !== undefined) return existing;
      const name = fresh();
      known.set(value, name);
      return name;
    },
    isUsed: (value) => used.has(value),
    node(opType, inputs, outputs, attributes = {}, domain = "") {
      nodes.push({ opType, domain, inputs, outputs, attributes });
    },
    call(opType, inputs, attributes, domain) {
      const output = fresh();
      emitter.node(opType, inputs, [output], attributes, domain);
      return output;
    },
    constant(name, dtype, shape, data) {
      initializers.push({ name, dtype, shape, data });
    },
    int64(values, shape = [values.length]) {
      const data = BigInt64Array.from(values, BigInt);
      return sharedInitializer(`int64|${shape.join()}|${values.join()}`, "int64", shape, data);
    },
    scalar(dtype, value) {
      const data = dtype === "int32" ? Int32Array.of(value) : Float32Array.of(value);
      if (dtype === "int32" || dtype === "float32")
        return sharedInitializer(`${dtype}|${value}`, dtype, [], data);
      // Other element types are rare: a cast, which ONNX Runtime folds.
      return emitter.call("Cast", [emitter.scalar("float32", value)], {
        to: int(onnxTypes[dtype]),
      });
    },
  };
  return emitter;
}

/** TensorProto.DataType of each element type. */
export const onnxTypes: { readonly [T in DType]: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  bfloat16: 16,
};

/** Names of a node's inputs. */
export function inputNames(e: Emitter, node: { readonly inputs: readonly Value[] }): string[] {
  return node.inputs.map((value) => e.name(value));
}

/** The name of a node's first output. */
export function outputName(e: Emitter, node: { readonly outputs: readonly Value[] }): string {
  return e.name(at(node.outputs, 0));
}
