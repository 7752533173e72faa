/** @file Products with NF4 weights: right in the form that is used, and the form that is not, with its fault. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { int, microsoft, newEmitter } from "../../../../src/engine/onnx/emitter.ts";
import { encodeModel } from "../../../../src/engine/onnx/model.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import { matmulNF4 } from "../../../../src/engine/core/packed.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { nf4Values } from "../../../../src/engine/runtime/reference/products.ts";
import { at } from "../../../../src/shared/errors.ts";
import type { CaseBuilder, OpCase } from "../op-case.ts";
import { buildCase, generator } from "../op-case.ts";
import { assertParity } from "./parity.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 2 });

function product(rows: number, columns: number, out: number, blockSize: number): OpCase {
  return ({ g, float, frozen, bytes }: CaseBuilder) => {
    const decoded = o.expand(g, o.scalar(g, 0), [out, columns]);
    const weight = { in: columns, out, blockSize, decoded };
    const codes = bytes([(out * columns) / 2]);
    const absmax = frozen([(out * columns) / blockSize], 0.1, 2);
    return [matmulNF4(g, float([rows, columns]), codes, absmax, weight)];
  };
}

describe("a product with an NF4 weight", () => {
  it("is right for one row and for many, for blocks of 64 and others", async () => {
    for (const build of [
      product(1, 64, 1, 64),
      product(3, 128, 96, 64),
      product(70, 192, 33, 64),
      product(5, 96, 40, 32),
      product(2, 128, 16, 128),
    ]) {
      const { graph, data } = buildCase(build);
      await assertParity(backend, graph, data);
    }
  });

  it("is x Wᵀ again where ONNX Runtime 1.30 is asked for x W: the reason why backward products decode W", async () => {
    const size = 64;
    const next = generator(5);
    const x = Float32Array.from({ length: size }, () => next() - 0.5);
    const codes = Uint8Array.from({ length: (size * size) / 2 }, () => 256 * next());
    const absmax = Float32Array.from({ length: size }, () => 0.5 + next());
    const w = Array.from({ length: size * size }, (_, position) => {
      const byte = at(codes, position >> 1);
      const value = at(nf4Values, position % 2 === 0 ? byte >> 4 : byte & 15);
      return value * at(absmax, Math.floor(position / size));
    });
    const row = (f: (k: number, column: number) => number): number[] =>
      Array.from({ length: size }, (_, column) =>
        x.reduce((sum, value, k) => sum + value * f(k, column), 0),
      );
    const transposed = row((k, column) => at(w, column * size + k));
    const plain = row((k, column) => at(w, k * size + column));

    const made = await multiply(0, x, codes, absmax);
    assert.ok(distance(made, transposed) < 1e-5);
    // When this fails, a new ONNX Runtime has mended the operator, and backward products may use it.
    assert.ok(distance(made, plain) > 0.1);
    assert.ok(distance(await multiply(1, x, codes, absmax), transposed) < 1e-5);
  });
});

/** MatMulBnb4 of a row and a square weight, as ONNX Runtime computes it. */
async function multiply(
  transB: 0 | 1,
  x: Float32Array,
  codes: Uint8Array,
  absmax: Float32Array,
): Promise<ArrayLike<number>> {
  const size = x.length;
  const emitter = newEmitter("cpu", new Map(), new Set());
  const attributes = {
    K: int(size),
    N: int(size),
    block_size: int(64),
    quant_type: int(1),
    transB: int(transB),
  };
  emitter.node("MatMulBnb4", ["x", "codes", "absmax"], ["y"], attributes, microsoft);
  const model = encodeModel(
    emitter,
    [
      { name: "x", value: { dtype: "float32", shape: [1, size] } },
      { name: "codes", value: { dtype: "uint8", shape: [codes.length] } },
      { name: "absmax", value: { dtype: "float32", shape: [absmax.length] } },
    ],
    new Map([["y", { dtype: "float32", shape: [1, size] }]]),
  );
  const session = await InferenceSession.create(model);
  const { y } = await session.run({
    x: new Tensor("float32", x, [1, size]),
    codes: new Tensor("uint8", codes, [codes.length]),
    absmax: new Tensor("float32", absmax, [absmax.length]),
  });
  assert.ok(y?.data instanceof Float32Array);
  return y.data;
}

function distance(a: ArrayLike<number>, b: readonly number[]): number {
  return b.reduce((largest, value, index) => Math.max(largest, Math.abs(at(a, index) - value)), 0);
}
