/** @file A graph as the bytes of an ONNX model. */
import type { DType } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Graph, NodeOf, OpName, Value } from "../core/graph.ts";
import { fuse } from "../core/fuse.ts";
import { liveNodes } from "../core/graph.ts";
import type { Device, Emitter, Initializer, OnnxAttribute, OnnxNode } from "./emitter.ts";
import { int, microsoft, newEmitter, onnxTypes } from "./emitter.ts";
import { lowerRules } from "./lower.ts";
import type { MessageWriter } from "./protobuf.ts";
import { encodeMessage } from "./protobuf.ts";

/**
 * The newest at which ONNX Runtime 1.30 has a kernel for every operator here on both tested devices: on the
 * CPU all up to 26 work, on WebGPU 24 lacks Pad and 25 Transpose. The CPU makes the same optimized
 * graphs from 20 to 26.
 */
const opset = 23;

/** The version of the file format that came with that opset. */
const irVersion = 11;

/** A model with the names by which ONNX Runtime is fed and asked. */
export interface OnnxModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The bytes of {@link lowerGraph}. */
export function emitModel(source: Graph, device: Device): OnnxModel {
  const { emitter, inputs, outputs } = lowerGraph(source, device);
  return {
    bytes: encodeModel(emitter, inputs, outputs),
    inputs: inputs.map(({ name }) => name),
    outputs: [...outputs.keys()],
  };
}

/** A graph as ONNX nodes and initialisers. */
export interface LoweredGraph {
  readonly emitter: Emitter;
  readonly inputs: Graph["inputs"];
  readonly outputs: Graph["outputs"];
}

/**
 * The live part of a graph for a device. Inputs that nothing reads are left out. Input and output names
 * are the graph's; they must differ from each other and not start with `%`.
 */
export function lowerGraph(source: Graph, device: Device): LoweredGraph {
  const { graph } = fuse(source);
  const nodes = liveNodes(graph);
  const used = new Set<Value>(graph.outputs.values());
  for (const node of nodes) for (const input of node.inputs) used.add(input);

  const inputs = graph.inputs.filter(({ value }) => used.has(value));
  const names = new Map<Value, string>();
  const taken = new Set<string>();
  const take = (name: string): string => {
    invariant(!name.startsWith("%") && name !== "", `"${name}" cannot name a program's tensor`);
    invariant(!taken.has(name), `"${name}" names two tensors of one program`);
    taken.add(name);
    return name;
  };
  for (const { name, value } of inputs) names.set(value, take(name));
  const aliases: [string, Value][] = [];
  for (const [name, value] of graph.outputs) {
    take(name);
    // A value has one name in ONNX; its other names are copies.
    if (names.has(value) || graph.producer(value)?.op === "Constant") aliases.push([name, value]);
    else names.set(value, name);
  }

  const emitter = newEmitter(device, names, used);
  for (const node of nodes) lower(emitter, node);
  for (const [name, value] of aliases) emitter.node("Identity", [emitter.name(value)], [name]);
  return { emitter, inputs, outputs: graph.outputs };
}

/** A model that copies `x` of any shape of a rank to `y`. */
export function emitIdentity(dtype: DType, rank: number): Uint8Array<ArrayBuffer> {
  const emitter = newEmitter("cpu", new Map(), new Set());
  emitter.node("Identity", ["x"], ["y"]);
  const dimensions = Array.from({ length: rank }, (_, axis) => `d${axis}`);
  const type = { dtype, shape: dimensions };
  return encodeModel(emitter, [{ name: "x", value: type }], new Map([["y", type]]));
}

/** A model of the product `c` of float64 matrices of any sizes: `a` times `b`, or times `b`ᵀ. */
export function emitProduct(how: { readonly transB: boolean }): Uint8Array<ArrayBuffer> {
  const emitter = newEmitter("cpu", new Map(), new Set());
  if (how.transB) emitter.node("Gemm", ["a", "b"], ["c"], { transB: int(1) });
  else emitter.node("MatMul", ["a", "b"], ["c"]);
  const type = (...shape: readonly string[]) => ({ dtype: "float64", shape }) as const;
  const inputs = [
    { name: "a", value: type("rows", "inner") },
    { name: "b", value: how.transB ? type("columns", "inner") : type("inner", "columns") },
  ];
  return encodeModel(emitter, inputs, new Map([["c", type("rows", "columns")]]));
}

/** A tensor's type; dimensions that are known only when the program runs have names. */
interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** The bytes of a model with the nodes that an emitter took. */
export function encodeModel(
  emitter: Emitter,
  inputs: readonly { readonly name: string; readonly value: TensorType }[],
  outputs: ReadonlyMap<string, TensorType>,
): Uint8Array<ArrayBuffer> {
  return encodeMessage((model) => {
    model.integer(1, irVersion);
    model.text(2, "spectune");
    model.message(7, (body) => {
      emitter.nodes.forEach((node, index) => {
        body.message(1, (message) => writeNode(message, node, index));
      });
      body.text(2, "program");
      for (const initializer of emitter.initializers)
        body.message(5, (message) => writeTensor(message, initializer));
      for (const { name, value } of inputs)
        body.message(11, (message) => writeValue(message, name, value));
      for (const [name, value] of outputs)
        body.message(12, (message) => writeValue(message, name, value));
    });
    writeOpset(model, "", opset);
    writeOpset(model, microsoft, 1);
  });
}

function lower<Op extends OpName>(emitter: Emitter, node: NodeOf<Op>): void {
  lowerRules[node.op](emitter, node);
}

function writeOpset(model: MessageWriter, domain: string, version: number): void {
  model.message(8, (entry) => {
    entry.text(1, domain);
    entry.integer(2, version);
  });
}

function writeNode(message: MessageWriter, node: OnnxNode, index: number): void {
  for (const name of node.inputs) message.text(1, name);
  for (const name of node.outputs) message.text(2, name);
  // ONNX Runtime's messages and profiles name nodes so.
  message.text(3, `${node.opType}.${index}`);
  message.text(4, node.opType);
  for (const [name, attribute] of Object.entries(node.attributes))
    message.message(5, (entry) => writeAttribute(entry, name, attribute));
  message.text(7, node.domain);
}

function writeAttribute(message: MessageWriter, name: string, attribute: OnnxAttribute): void {
  message.text(1, name);
  switch (attribute.kind) {
    case "float":
      message.float(2, attribute.value);
      message.integer(20, 1);
      return;
    case "int":
      message.integer(3, attribute.value);
      message.integer(20, 2);
      return;
    case "text":
      message.text(4, attribute.value);
      message.integer(20, 3);
      return;
    case "ints":
      message.packedIntegers(8, attribute.value);
      message.integer(20, 7);
      return;
  }
}

function writeTensor(message: MessageWriter, { name, dtype, shape, data }: Initializer): void {
  message.packedIntegers(1, shape);
  message.integer(2, onnxTypes[dtype]);
  message.text(8, name);
  message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writeValue(message: MessageWriter, name: string, { dtype, shape }: TensorType): void {
  message.text(1, name);
  message.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, onnxTypes[dtype]);
      tensor.message(2, (dimensions) => {
        for (const size of shape)
          dimensions.message(1, (dimension) => {
            if (typeof size === "number") dimension.integer(1, size);
            else dimension.text(2, size);
          });
      });
    }),
  );
}
