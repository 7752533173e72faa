/** @file How matrix products become ONNX on each device. */
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { NodeOf } from "../core/graph.ts";
import type { Emitter } from "./emitter.ts";
import { float, int, ints, microsoft, outputName } from "./emitter.ts";

/** ONNX's MatMul knows neither transposition nor a factor; what does, depends on the device. */
export function matmul(e: Emitter, node: NodeOf<"MatMul">): void {
  const a = at(node.inputs, 0);
  const b = at(node.inputs, 1);
  const y = at(node.outputs, 0);
  const { transA, transB, alpha } = node.attributes;
  if (!transA && !transB && alpha === 1) {
    e.node("MatMul", [e.name(a), e.name(b)], [e.name(y)]);
    return;
  }
  if (e.device === "cpu" || e.device === "cuda" || e.device === "dml") {
    e.node(
      "FusedMatMul",
      [e.name(a), e.name(b)],
      [e.name(y)],
      { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) },
      microsoft,
    );
    return;
  }
  const gemm = { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) };
  if (a.shape.length === 2 && b.shape.length === 2) {
    e.node("Gemm", [e.name(a), e.name(b)], [e.name(y)], gemm);
    return;
  }
  if (!transA && b.shape.length === 2) {
    // All leading axes of a are rows of one product.
    const inner = at(a.shape, a.shape.length - 1);
    const rows = e.call("Reshape", [e.name(a), e.int64([elementCount(a.shape) / inner, inner])]);
    const product = e.call("Gemm", [rows, e.name(b)], gemm);
    e.node("Reshape", [product, e.int64(y.shape)], [e.name(y)]);
    return;
  }
  const operand = (value: typeof a, transposed: boolean): string =>
    transposed
      ? e.call("Transpose", [e.name(value)], { perm: ints(exchangeLastTwo(value.shape.length)) })
      : e.name(value);
  const inputs = [operand(a, transA), operand(b, transB)];
  if (alpha === 1) e.node("MatMul", inputs, [e.name(y)]);
  else e.node("Mul", [e.call("MatMul", inputs), e.scalar(y.dtype, alpha)], [e.name(y)]);
}

/** ONNX has it as it is. */
export function gemm(e: Emitter, node: NodeOf<"Gemm">): void {
  const { transA, transB, alpha } = node.attributes;
  e.node(
    "Gemm",
    node.inputs.map((value) => e.name(value)),
    [outputName(e, node)],
    { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) },
  );
}

/**
 * The only form that ONNX Runtime computes rightly: `transB: 0` on the CPU gives A Wᵀ again, without an
 * error, so that the backward product never comes here.
 */
export function matmulNF4(e: Emitter, node: NodeOf<"MatMulNF4">): void {
  const { in: columns, out: rows, blockSize } = node.attributes;
  invariant(node.inputs.length === 3, "MatMulNF4 takes x, codes and absmax");
  e.node(
    "MatMulBnb4",
    node.inputs.map((value) => e.name(value)),
    [outputName(e, node)],
    {
      K: int(columns),
      N: int(rows),
      block_size: int(blockSize),
      quant_type: int(1),
      transB: int(1),
    },
    microsoft,
  );
}

/** Accuracy level 1: operands in float32, as everything here. */
export function matmulNBits(e: Emitter, node: NodeOf<"MatMulNBits">): void {
  const { in: columns, out: rows, bits, group } = node.attributes;
  const [x, codes, scales, zeros] = node.inputs.map((value) => e.name(value));
  invariant(x && codes && scales && zeros, "MatMulNBits takes x, codes, scales and zeros");
  const blocks = columns / group;
  const blob = e.int64([rows, blocks, (group * bits) / 8]);
  e.node(
    "MatMulNBits",
    [x, e.call("Reshape", [codes, blob]), scales, zeros],
    [outputName(e, node)],
    {
      K: int(columns),
      N: int(rows),
      bits: int(bits),
      block_size: int(group),
      accuracy_level: int(1),
    },
    microsoft,
  );
}

function exchangeLastTwo(rank: number): number[] {
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  return perm.with(rank - 2, rank - 1).with(rank - 1, rank - 2);
}
