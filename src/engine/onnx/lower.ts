/** @file How each operator becomes ONNX: one row for each, with other rows' nodes where a device lacks a kernel. */
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { NodeOf, OpName, Value } from "../core/graph.ts";
import type { Emitter, OnnxAttributes } from "./emitter.ts";
import { float, inputNames, int, ints, microsoft, onnxTypes, outputName, text } from "./emitter.ts";
import { causalAttention } from "./lower-attention.ts";
import { gemm, matmul, matmulNBits, matmulNF4 } from "./lower-products.ts";

export type LowerRule<Op extends OpName> = (e: Emitter, node: NodeOf<Op>) => void;

export type LowerRules = { readonly [Op in OpName]: LowerRule<Op> };

/** An operator that ONNX has, with the same inputs. */
function plain(opType: string, attributes?: OnnxAttributes, domain?: string): LowerRule<OpName> {
  return (e, node) =>
    e.node(opType, inputNames(e, node), [outputName(e, node)], attributes, domain);
}

const lastAxis = { axis: int(-1) };

export const lowerRules: LowerRules = {
  Constant: (e, node) => {
    const value = at(node.outputs, 0);
    const { data } = node.attributes;
    if (value.dtype !== "float16") {
      e.constant(e.name(value), value.dtype, value.shape, data);
      return;
    }
    const wide = e.fresh();
    e.constant(wide, "float32", value.shape, data);
    e.node("Cast", [wide], [e.name(value)], { to: int(onnxTypes.float16) });
  },
  Add: plain("Add"),
  Sub: plain("Sub"),
  Mul: plain("Mul"),
  Div: plain("Div"),
  Maximum: plain("Max"),
  Minimum: plain("Min"),
  Equal: plain("Equal"),
  Less: plain("Less"),
  Where: plain("Where"),
  Neg: (e, node) => {
    const x = at(node.inputs, 0);
    if (e.device !== "webgpu" || x.dtype !== "int32") {
      plain("Neg")(e, node);
      return;
    }
    e.node("Sub", [e.scalar(x.dtype, 0), e.name(x)], [outputName(e, node)]);
  },
  Exp: plain("Exp"),
  Log: plain("Log"),
  Sqrt: plain("Sqrt"),
  Reciprocal: plain("Reciprocal"),
  Tanh: plain("Tanh"),
  Erf: plain("Erf"),
  Sigmoid: plain("Sigmoid"),
  Relu: plain("Relu"),
  Detach: plain("Identity"),
  Gauge: (e, node) => e.node("Identity", [e.name(at(node.inputs, 0))], [outputName(e, node)]),
  Abs: plain("Abs"),
  Sign: (e, node) => {
    if (e.device !== "webgpu") {
      plain("Sign")(e, node);
      return;
    }
    // (0 < x) − (x < 0)
    const x = at(node.inputs, 0);
    const zero = e.scalar(x.dtype, 0);
    const to = { to: int(onnxTypes[x.dtype]) };
    const positive = e.call("Cast", [e.call("Less", [zero, e.name(x)])], to);
    const negative = e.call("Cast", [e.call("Less", [e.name(x), zero])], to);
    e.node("Sub", [positive, negative], [outputName(e, node)]);
  },
  Round: (e, node) => {
    if (e.device !== "webgpu") {
      plain("Round")(e, node);
      return;
    }
    // With f = ⌊x⌋ and d = x − f: f + 1 where d > ½, or where d = ½ and f is odd; else f.
    const x = at(node.inputs, 0);
    const half = e.scalar(x.dtype, 0.5);
    const floor = e.call("Floor", [e.name(x)]);
    const rest = e.call("Sub", [e.name(x), floor]);
    const even = e.call("Mul", [
      e.call("Floor", [e.call("Mul", [floor, half])]),
      e.scalar(x.dtype, 2),
    ]);
    const odd = e.call("Sub", [floor, even]);
    const to = { to: int(onnxTypes[x.dtype]) };
    const above = e.call("Cast", [e.call("Less", [half, rest])], to);
    const tie = e.call("Cast", [e.call("Equal", [rest, half])], to);
    const step = e.call("Add", [above, e.call("Mul", [tie, odd])]);
    e.node("Add", [floor, step], [outputName(e, node)]);
  },
  Silu: plain("QuickGelu", { alpha: float(1) }, microsoft),
  Gelu: (e, node) =>
    e.node("Gelu", inputNames(e, node), [outputName(e, node)], {
      approximate: text(node.attributes.approximate),
    }),
  Cast: (e, node) =>
    e.node("Cast", inputNames(e, node), [outputName(e, node)], {
      to: int(onnxTypes[node.attributes.to]),
    }),
  MatMul: matmul,
  MatMulNF4: matmulNF4,
  MatMulNBits: matmulNBits,
  Gemm: gemm,
  CausalAttention: causalAttention,
  ReduceSum: (e, node) => reduce(e, "ReduceSum", node),
  ReduceMax: (e, node) => reduce(e, "ReduceMax", node),
  Softmax: plain("Softmax", lastAxis),
  LogSoftmax: (e, node) => {
    logSoftmax(e, at(inputNames(e, node), 0), outputName(e, node));
  },
  RmsNorm: (e, node) => {
    const [x, weight] = inputNames(e, node);
    invariant(x !== undefined && weight !== undefined, "RmsNorm takes x and scale");
    const inverse = optional(e, node.outputs[1]);
    const attributes = {
      axis: int(-1),
      epsilon: float(node.attributes.epsilon),
      stash_type: int(1),
    };
    // WebGPU does not write the second output.
    const outputs = [outputName(e, node), ...(e.device === "webgpu" ? [] : inverse)];
    e.node("SimplifiedLayerNormalization", [x, weight], outputs, attributes);
    if (e.device !== "webgpu" || inverse.length === 0) return;
    const { dtype } = at(node.inputs, 0);
    const mean = e.call("ReduceMean", [e.call("Mul", [x, x]), e.int64([-1])], { keepdims: int(1) });
    const square = e.call("Add", [mean, e.scalar(dtype, node.attributes.epsilon)]);
    e.node("Reciprocal", [e.call("Sqrt", [square])], inverse);
  },
  LayerNorm: (e, node) => {
    const [, mean, inverse] = node.outputs;
    const statistics =
      inverse && e.isUsed(inverse)
        ? [mean && e.isUsed(mean) ? e.name(mean) : e.fresh(), e.name(inverse)]
        : optional(e, mean);
    e.node("LayerNormalization", inputNames(e, node), [outputName(e, node), ...statistics], {
      axis: int(-1),
      epsilon: float(node.attributes.epsilon),
    });
  },
  Rope: (e, node) => {
    const [x, cos, sin] = [0, 1, 2].map((index) => at(node.inputs, index));
    invariant(x && cos && sin, "Rope takes x, cos and sin");
    const [batch = 1, positions = 1, heads = 1, size = 1] = x.shape;
    const half = size / 2;
    const rows = elementCount(cos.shape) / half;
    const table = (value: Value): string =>
      e.call("Reshape", [e.name(value), e.int64([rows, half])]);
    // One offset where all sequences share their positions, else a row for each token.
    const place =
      rows === positions ? e.int64([0]) : e.int64([...Array(rows).keys()], [batch, positions]);
    const flat = e.call("Reshape", [e.name(x), e.int64([batch, positions, heads * size])]);
    const turned = e.call(
      "RotaryEmbedding",
      [flat, place, table(cos), table(sin)],
      { num_heads: int(heads) },
      microsoft,
    );
    e.node("Reshape", [turned, e.int64(x.shape)], [outputName(e, node)]);
  },
  CrossEntropy: (e, node) => {
    const logits = at(node.inputs, 0);
    const labels = at(node.inputs, 1);
    const logProbabilities = e.name(at(node.outputs, 1));
    logSoftmax(e, e.name(logits), logProbabilities);
    const zero = e.scalar("int32", 0);
    const column = e.call("Reshape", [e.name(labels), e.int64([at(logits.shape, 0), 1])]);
    const ignored = e.call("Less", [column, zero]);
    const place = e.call("Where", [ignored, zero, column]);
    const picked = e.call("GatherElements", [logProbabilities, place], { axis: int(1) });
    const loss = e.call("Neg", [picked]);
    e.node("Where", [ignored, e.scalar(logits.dtype, 0), loss], [outputName(e, node)]);
  },
  Reshape: (e, node) =>
    e.node(
      "Reshape",
      [...inputNames(e, node), e.int64(node.attributes.shape)],
      [outputName(e, node)],
    ),
  Transpose: (e, node) =>
    e.node("Transpose", inputNames(e, node), [outputName(e, node)], {
      perm: ints(node.attributes.perm),
    }),
  Expand: (e, node) =>
    e.node(
      "Expand",
      [...inputNames(e, node), e.int64(node.attributes.shape)],
      [outputName(e, node)],
    ),
  Concat: (e, node) =>
    e.node("Concat", inputNames(e, node), [outputName(e, node)], {
      axis: int(node.attributes.axis),
    }),
  Slice: (e, node) => {
    const { axis, start, end } = node.attributes;
    if (e.device === "webgpu" && at(node.inputs, 0).dtype === "int32") {
      const places = e.int64(Array.from({ length: end - start }, (_, index) => start + index));
      e.node("Gather", [...inputNames(e, node), places], [outputName(e, node)], {
        axis: int(axis),
      });
      return;
    }
    e.node(
      "Slice",
      [...inputNames(e, node), e.int64([start]), e.int64([end]), e.int64([axis])],
      [outputName(e, node)],
    );
  },
  Pad: (e, node) => {
    const { axis, before, after } = node.attributes;
    const rank = at(node.outputs, 0).shape.length;
    const none = Array.from({ length: rank }, () => 0);
    e.node(
      "Pad",
      [...inputNames(e, node), e.int64([...none.with(axis, before), ...none.with(axis, after)])],
      [outputName(e, node)],
    );
  },
  Gather: plain("Gather", { axis: int(0) }),
  ScatterAdd: (e, node) => {
    const [table, indices, updates] = [0, 1, 2].map((index) => at(node.inputs, index));
    invariant(table && indices && updates, "ScatterAdd takes table, indices and updates");
    const column = updates.shape.map((size, axis) => (axis === 0 ? size : 1));
    // ScatterElements sums in order; ScatterND adds rows from several threads at once, and loses some.
    const rows = e.call("Reshape", [e.name(indices), e.int64(column)]);
    const everywhere = e.call("Expand", [rows, e.int64(updates.shape)]);
    const inputs = [e.name(table), everywhere, e.name(updates)];
    e.node("ScatterElements", inputs, [outputName(e, node)], {
      axis: int(0),
      reduction: text("add"),
    });
  },
  PickColumn: plain("GatherElements", { axis: int(1) }),
  AddColumn: plain("ScatterElements", { axis: int(1), reduction: text("add") }),
  GatherColumns: plain("Gather", { axis: int(1) }),
  ScatterColumns: (e, node) => {
    const [x, indices, updates] = [0, 1, 2].map((index) => at(node.inputs, index));
    invariant(x && indices && updates, "ScatterColumns takes x, indices and updates");
    const everywhere = e.call("Expand", [e.name(indices), e.int64(updates.shape)]);
    e.node("ScatterElements", [e.name(x), everywhere, e.name(updates)], [outputName(e, node)], {
      axis: int(1),
      reduction: text("add"),
    });
  },
};

function optional(e: Emitter, value: Value | undefined): string[] {
  return value && e.isUsed(value) ? [e.name(value)] : [];
}

function reduce(e: Emitter, opType: string, node: NodeOf<"ReduceSum" | "ReduceMax">): void {
  e.node(opType, [...inputNames(e, node), e.int64(node.attributes.axes)], [outputName(e, node)], {
    keepdims: int(1),
  });
}

function logSoftmax(e: Emitter, x: string, output: string): void {
  if (e.device !== "webgpu") {
    e.node("LogSoftmax", [x], [output], lastAxis);
    return;
  }
  const axes = e.int64([-1]);
  const centred = e.call("Sub", [x, e.call("ReduceMax", [x, axes])]);
  const sum = e.call("ReduceSum", [e.call("Exp", [centred]), axes]);
  e.node("Sub", [centred, e.call("Log", [sum])], [output]);
}
