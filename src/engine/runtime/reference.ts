/** @file The oracle: a slow interpreter that computes graphs in float64, each operator from its definition. */
import type { DType } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, NodeOf, OpName, Value } from "../core/graph.ts";
import { liveNodes } from "../core/graph.ts";
import { sameShape } from "../core/shapes.ts";
import type { Backend, DeviceTensor, HostData } from "./backend.ts";
import {
  binary,
  cast,
  erf,
  gelu,
  roundHalfEven,
  sigmoid,
  unary,
  where,
} from "./reference/elementwise.ts";
import * as layout from "./reference/layout.ts";
import { causalAttention } from "./reference/attention.ts";
import { gemm, matmul, matmulNBits, matmulNF4 } from "./reference/products.ts";
import * as rows from "./reference/rows.ts";
import type { Elements, Evaluate, Tensor } from "./reference/tensor.ts";
import { filled, newElements } from "./reference/tensor.ts";

/**
 * Runs graphs on the host. Uploads copy; downloads give floats of every width as float64, without any
 * rounding in between.
 */
export function createReferenceBackend(): Backend {
  return {
    name: "reference",
    preallocates: true,
    sharesMemory: false,
    upload: (dtype, shape, data) => {
      invariant(
        data.length === elementCount(shape),
        `${data.length} elements for [${shape.join()}]`,
      );
      return { dtype, shape, handle: toElements(dtype, data) };
    },
    view: ({ dtype: own, handle }, dtype, shape) => {
      invariant(own === dtype, "the reference holds no bytes to read as another type");
      return { dtype, shape, handle };
    },
    download: (tensor) => Promise.resolve(elementsOf(tensor)),
    release: () => undefined,
    compile: (graph) =>
      Promise.resolve({
        inputs: readInputs(graph).map(({ name }) => name),
        outputs: [...graph.outputs.keys()],
        run(feeds, into) {
          const made = interpret(graph, feeds);
          const results = new Map<string, DeviceTensor>();
          for (const [name, { dtype, shape, data }] of made) {
            const target = into?.get(name);
            if (target) elementsOf(target).set(data);
            results.set(name, target ?? { dtype, shape, handle: data });
          }
          return Promise.resolve(results);
        },
        dispose: () => Promise.resolve(),
      }),
  };
}

/** Every output of a graph. */
function interpret(graph: Graph, feeds: ReadonlyMap<string, DeviceTensor>): Map<string, Tensor> {
  const values = new Map<Value, Tensor>();
  for (const { name, value } of readInputs(graph)) {
    const fed = feeds.get(name);
    invariant(fed, `the program has no tensor for ${name}`);
    invariant(
      fed.dtype === value.dtype && sameShape(fed.shape, value.shape),
      `${name} is ${value.dtype} [${value.shape.join()}], not ${fed.dtype} [${fed.shape.join()}]`,
    );
    values.set(value, { ...value, data: elementsOf(fed) });
  }
  const valueOf = (value: Value): Tensor => {
    const tensor = values.get(value);
    invariant(tensor, `value ${value.id} was not computed`);
    return tensor;
  };
  for (const node of liveNodes(graph)) {
    const outputs = evaluate(node, node.inputs.map(valueOf));
    node.outputs.forEach((value, index) => values.set(value, at(outputs, index)));
  }
  return new Map([...graph.outputs].map(([name, value]) => [name, valueOf(value)]));
}

function evaluate<Op extends OpName>(
  node: NodeOf<Op>,
  inputs: readonly Tensor[],
): readonly Tensor[] {
  return evaluators[node.op](inputs, node.outputs, node.attributes);
}

const evaluators: { readonly [Op in OpName]: Evaluate<Op> } = {
  Constant: (_inputs, outputs, { data }) => [
    filled(at(outputs, 0), (position) => at(data, position)),
  ],
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Maximum: binary(Math.max),
  Minimum: binary(Math.min),
  Equal: binary((a, b) => Number(a === b)),
  Less: binary((a, b) => Number(a < b)),
  Where: where,
  Neg: unary((x) => -x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Tanh: unary(Math.tanh),
  Erf: unary(erf),
  Sigmoid: unary(sigmoid),
  Relu: unary((x) => Math.max(x, 0)),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Detach: unary((x) => x),
  Gauge: unary((x) => x),
  Round: unary(roundHalfEven),
  Silu: unary((x) => x * sigmoid(x)),
  Gelu: gelu,
  Cast: cast,
  MatMul: matmul,
  MatMulNF4: matmulNF4,
  MatMulNBits: matmulNBits,
  Gemm: gemm,
  CausalAttention: causalAttention,
  ReduceSum: rows.reduction(0, (sum, x) => sum + x),
  ReduceMax: rows.reduction(-Infinity, Math.max),
  Softmax: rows.softmax,
  LogSoftmax: rows.logSoftmax,
  RmsNorm: rows.rmsNorm,
  LayerNorm: rows.layerNorm,
  Rope: rows.rope,
  CrossEntropy: rows.crossEntropy,
  Reshape: layout.reshape,
  Transpose: layout.transpose,
  Expand: layout.expand,
  Concat: layout.concat,
  Slice: layout.slice,
  Pad: layout.pad,
  Gather: layout.gather,
  ScatterAdd: layout.scatterAdd,
  PickColumn: layout.pickColumn,
  AddColumn: layout.addColumn,
  GatherColumns: layout.gatherColumns,
  ScatterColumns: layout.scatterColumns,
};

/** Inputs that the outputs depend on. */
function readInputs(graph: Graph): Graph["inputs"] {
  const read = new Set<Value>(graph.outputs.values());
  for (const node of liveNodes(graph)) for (const input of node.inputs) read.add(input);
  return graph.inputs.filter(({ value }) => read.has(value));
}

function toElements(dtype: DType, data: HostData): Elements {
  const elements = newElements(dtype, data.length);
  const decode = data instanceof Uint16Array ? sixteenBit[dtype] : undefined;
  data.forEach((value, position) => {
    elements[position] = decode ? decode(Number(value)) : Number(value);
  });
  return elements;
}

/** What the bits of 16-bit floats mean. */
const sixteenBit: { readonly [T in DType]?: (bits: number) => number } = {
  float16: (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return exponent === 0
      ? sign * fraction * 2 ** -24
      : sign * (1024 + fraction) * 2 ** (exponent - 25);
  },
  bfloat16: (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? NaN,
};

function elementsOf(tensor: DeviceTensor): Elements {
  const { handle } = tensor;
  invariant(
    handle instanceof Float64Array || handle instanceof Int32Array || handle instanceof Uint8Array,
    "a tensor of another backend",
  );
  return handle;
}
