/** @file The split by saliency against sorting and counting; the low-rank split against its definition. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { normalMatrix } from "../../../../../kernels/krylov/normal.ts";
import { createLinalg, type Linalg } from "../../../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../../../kernels/linalg/matrix.ts";
import { buildKernels } from "../../../../../src/build/kernels.ts";
import {
  decodeBlocks,
  encodeBlocks,
} from "../../../../../src/engine/quantizers/blocks/book-blocks.ts";
import { nf3 } from "../../../../../src/engine/quantizers/blocks/code-books.ts";
import {
  lowRank,
  splitLowRank,
} from "../../../../../src/engine/quantizers/blocks/low-rank-split.ts";
import {
  splitBits,
  splitBySaliency,
} from "../../../../../src/engine/quantizers/blocks/saliency-split.ts";
import { kernelBytes } from "../../../../../src/engine/runtime/kernels.ts";

describe("the split by saliency", () => {
  const shape = { rows: 6, columns: 50 };
  const scores = normalMatrix(6, 50, 1).data.map(Math.abs);
  it("takes exactly the share, rounded up, of the largest scores", () => {
    for (const [share, count] of [
      [0, 0],
      [0.01, 3],
      [0.07, 21],
      [0.5, 150],
      [1, 300],
    ] as const) {
      // prettier-ignore
      const { chosen, mask } = splitBySaliency(shape, scores, share);
      assert.equal(chosen.length, count);
      assert.equal(mask.reduce((sum, one) => sum + one, 0), count); // prettier-ignore
      const kept = Math.min(...[...chosen].map((i) => scores[i] ?? NaN));
      const left = Math.max(...scores.filter((_, i) => mask[i] === 0));
      assert.ok(count === 0 || count === 300 || kept > left);
    }
  });
  it("takes whole columns and groups, short ones too, by their sums", () => {
    const one = scores.map(() => 0);
    one[3 * 50 + 49] = 5;
    assert.deepEqual([...splitBySaliency(shape, one, 1 / 50, "column").chosen], [49]);
    const { chosen, mask } = splitBySaliency(shape, one, 1e-9, { group: 16 });
    assert.deepEqual([...chosen], [3 * 4 + 3]);
    assert.equal(mask.reduce((sum, bit) => sum + bit, 0), 2); // prettier-ignore
  });
  it("prefers the first of equal scores", () => {
    const even = scores.map(() => 1);
    assert.deepEqual([...splitBySaliency(shape, even, 0.01).chosen], [0, 1, 2]);
  });
  it("costs the bits that its parts have", () => {
    const split = splitBySaliency(shape, scores, 0.1);
    const bits = { high: 8, low: 1 } as const;
    assert.equal(splitBits(shape, split, { ...bits, mask: "bitmap" }), 30 * 8 + 270 + 300);
    assert.equal(splitBits(shape, split, { ...bits, mask: "indices" }), 30 * 8 + 270 + 30 * 9);
    const columns = splitBySaliency(shape, scores, 0.04, "column");
    assert.equal(splitBits(shape, columns, { ...bits, mask: "bitmap" }), 12 * 8 + 288 + 50);
    const none = splitBySaliency(shape, scores, 0);
    assert.equal(splitBits(shape, none, { ...bits, mask: "indices" }), 300);
  });
  it("refuses NaN, other shares and other shapes", () => {
    assert.throws(() => splitBySaliency(shape, scores.with(7, NaN), 0.1), /weight 7/);
    for (const share of [-0.1, 1.1, NaN])
      assert.throws(() => splitBySaliency(shape, scores, share), RangeError);
    assert.throws(() => splitBySaliency(shape, [1], 0.1), RangeError);
  });
});

describe("the low-rank split", () => {
  let linalg: Linalg;
  before(async () => {
    await buildKernels();
    linalg = createLinalg(kernelBytes("linalg"));
  });
  const W = normalMatrix(24, 40, 2);
  const options = { book: nf3, granularity: 20 } as const;
  const quantize = (rest: Matrix) => {
    const stored = encodeBlocks(rest, options);
    return { stored, values: decodeBlocks(stored) };
  };
  const norm = (values: Iterable<number>) => Math.hypot(...values);

  it("errs by the singular values left out, and by less with more rank", async () => {
    const sigma = await linalg.singularValues(W);
    for (const rank of [0, 1, 5, 24, 99]) {
      const { left, right } = await lowRank(linalg, W, rank);
      const { data } = await linalg.multiply(left, right);
      const error = norm(W.data.map((w, i) => w - (data[i] ?? NaN)));
      assert.ok(Math.abs(error - norm(sigma.slice(rank))) < 1e-10 * norm(sigma));
    }
  });
  it("returns the best of falling errors, below those of quantizing alone", async () => {
    const split = await splitLowRank(linalg, W, quantize, { rank: 6, steps: 20 });
    const { errors, best, left, right, quantized } = split;
    for (let i = 1; i <= best; i++) assert.ok((errors[i] ?? NaN) <= (errors[i - 1] ?? NaN));
    assert.equal(Math.min(...errors), errors[best]);
    const alone = quantize(W).values;
    assert.ok((errors[0] ?? NaN) < norm(W.data.map((w, i) => w - (alone[i] ?? NaN))));
    const { data } = await linalg.multiply(left, right);
    const values = decodeBlocks(quantized);
    const rest = W.data.map((w, i) => w - (data[i] ?? NaN) - (values[i] ?? NaN));
    assert.ok(Math.abs(norm(rest) / (errors[best] ?? NaN) - 1) < 1e-12);
  });
  it("with the same Fisher value everywhere is the unweighted one", async () => {
    const plain = await splitLowRank(linalg, W, quantize, { rank: 4, steps: 3 });
    const fisher = W.data.map(() => 9);
    const weighted = await splitLowRank(linalg, W, quantize, { rank: 4, steps: 3, fisher });
    for (const [i, error] of weighted.errors.entries())
      assert.ok(Math.abs(error / (3 * (plain.errors[i] ?? NaN)) - 1) < 1e-6);
  });
  it("spends its rank where the Fisher values are", async () => {
    const fisher = W.data.map((_, i) => (i < 5 * 40 ? 100 : 0.01));
    const { errors } = await splitLowRank(linalg, W, quantize, { rank: 4, steps: 5, fisher });
    const plain = await splitLowRank(linalg, W, quantize, { rank: 4, steps: 5 });
    const product = (await linalg.multiply(plain.left, plain.right)).data;
    const values = decodeBlocks(plain.quantized);
    const sum = W.data.reduce(
      (all, w, i) => all + (fisher[i] ?? NaN) * (w - (product[i] ?? NaN) - (values[i] ?? NaN)) ** 2,
      0,
    );
    assert.ok(Math.min(...errors) < 0.5 * Math.sqrt(sum));
  });
  it("refuses NaN, Fisher values below zero and other shapes", async () => {
    const bad = { ...W, data: W.data.with(41, NaN) };
    await assert.rejects(splitLowRank(linalg, bad, quantize, { rank: 1 }), /\[1, 1\]/);
    const negative = W.data.map(() => -1);
    await assert.rejects(splitLowRank(linalg, W, quantize, { rank: 1, fisher: negative }), RangeError); // prettier-ignore
    await assert.rejects(splitLowRank(linalg, W, quantize, { rank: 1, fisher: [1] }), RangeError);
    await assert.rejects(lowRank(linalg, W, -1), RangeError);
  });
});
