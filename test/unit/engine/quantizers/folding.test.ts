/** @file Quantizers that scale channels: the float function stays, searches never lose, and settings that do nothing do nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adadim } from "../../../../src/engine/quantizers/adadim.ts";
import { awq } from "../../../../src/engine/quantizers/awq.ts";
import {
  awqFactors,
  smoothFactors,
  thresholdFactors,
} from "../../../../src/engine/quantizers/blocks/channel-scales.ts";
import { clipLimits } from "../../../../src/engine/quantizers/blocks/clip-search.ts";
import {
  cutWeights,
  decodeGrid,
  encodeGrid,
  fitGrid,
} from "../../../../src/engine/quantizers/blocks/uniform-grid.ts";
import type { LayerContext } from "../../../../src/engine/quantizers/context.ts";
import type { Quantizer } from "../../../../src/engine/quantizers/define.ts";
import { dgq, dualIntegers, percentileFactors } from "../../../../src/engine/quantizers/dgq.ts";
import { floatsOf } from "../../../../src/engine/quantizers/half.ts";
import { osPlus } from "../../../../src/engine/quantizers/os-plus.ts";
import { flexible, flexround } from "../../../../src/engine/quantizers/flexround.ts";
import { arrayOf, expanded } from "../../../../src/engine/quantizers/packed.ts";
import { rtn } from "../../../../src/engine/quantizers/rtn.ts";
import { smoothquantPlus } from "../../../../src/engine/quantizers/smoothquant-plus.ts";
import {
  defaultsOf,
  inputs,
  linalg,
  packedBy,
  valuesOf,
  weights,
} from "../../../conformance/engine/quantizer-case.ts";
import { smallLayer } from "../../../conformance/engine/quantizer-layer.ts";

/** The layer's error when all of it is stored, and how far its float output moved on the way there. */
async function quantized(quantizer: Quantizer, fields: object, seed = 1) {
  const { context, output } = smallLayer(seed);
  const before = output();
  const each = await quantizer.bind({ ...defaultsOf(quantizer), ...fields }).layer(context);
  const after = output();
  const moved = Math.max(...after.map((y, i) => Math.abs(y - (before[i] ?? NaN))));
  const replaced = new Map<string, Float32Array>();
  for (const matrix of context.matrices())
    replaced.set(
      matrix.module,
      expanded(await each(matrix, context.of(matrix.module)), quantizer.formats),
    );
  const size = Math.sqrt(before.reduce((sum, y) => sum + y * y, 0) / before.length);
  return { error: await context.error(replaced), moved: moved / size };
}

const grid = { bits: 3, group: 8 };

describe("AWQ", () => {
  it("keeps the float function, and loses less than rounding over seeds", async () => {
    let [sum, bar] = [0, 0];
    for (const seed of [1, 2, 3]) {
      const { error, moved } = await quantized(awq, grid, seed);
      assert.ok(moved < 1e-5, `the float output moved by ${moved}`);
      sum += error;
      bar += (await quantized(rtn, grid, seed)).error;
    }
    assert.ok(sum < 0.9 * bar, `${sum} against ${bar}`);
  });
  it("folds what its search found, and gains by that alone", async () => {
    let [sum, bar] = [0, 0];
    for (const seed of [1, 2, 3]) {
      const { context } = smallLayer(seed);
      const found: Float32Array[] = [];
      const watched: LayerContext = {
        ...context,
        scale(chain, by) {
          found.push(by);
          context.scale(chain, by);
        },
      };
      const fields = { ...grid, clip: false, scales: "float32" };
      const each = await awq.bind({ ...defaultsOf(awq), ...fields }).layer(watched);
      assert.equal(found.length, context.chains.length);
      for (const by of found) assert.ok(Math.max(...by) / Math.min(...by) > 1.05, "all are 1");
      const replaced = new Map<string, Float32Array>();
      for (const matrix of context.matrices())
        replaced.set(
          matrix.module,
          expanded(await each(matrix, context.of(matrix.module)), awq.formats),
        );
      sum += await context.error(replaced);
      bar += (await quantized(awq, { ...fields, ratios: 1 }, seed)).error;
    }
    assert.ok(sum < bar, `${sum} against ${bar}`);
  });
  it("without a search is rounding on its own grid", async () => {
    const { moved } = await quantized(awq, { ...grid, ratios: 1, clip: false });
    assert.equal(moved, 0);
  });
  it("has factors around 1 that are 1 at exponent 0", () => {
    const means = [0.1, 2, 0, 7];
    assert.deepEqual([...awqFactors(means, 0)], [1, 1, 1, 1]);
    const factors = awqFactors(means, 0.5);
    assert.ok(Math.abs(Math.max(...factors) * Math.min(...factors) - 1) < 1e-6);
    assert.ok((factors[3] ?? 0) > (factors[1] ?? 0));
  });
  it("never cuts a group to a larger error of its own", async () => {
    const matrix = weights({ rows: 6, columns: 20 }, 4);
    const x = { rows: 60, columns: 20, data: inputs(60, 20, 5) };
    const options = { bits: 3, symmetric: false, granularity: 8, rule: "awq" } as const;
    const limits = await clipLimits(linalg(), matrix, x, options);
    const values = (of: typeof matrix) => {
      const fitted = fitGrid(of, options);
      return decodeGrid(encodeGrid(of, fitted), fitted);
    };
    const cut = values({ ...matrix, data: cutWeights(matrix, 8, limits).data });
    const whole = values(matrix);
    let gained = 0;
    for (let row = 0; row < 6; row++)
      for (let g = 0; g < 3; g++) {
        const error = (made: Float32Array) => {
          let sum = 0;
          for (let t = 0; t < 60; t++) {
            let y = 0;
            for (let j = g * 8; j < Math.min(20, g * 8 + 8); j++)
              y +=
                (x.data[t * 20 + j] ?? NaN) *
                ((made[row * 20 + j] ?? NaN) - (matrix.data[row * 20 + j] ?? NaN));
            sum += y * y;
          }
          return sum;
        };
        assert.ok(error(cut) <= error(whole) * (1 + 1e-5));
        gained += error(whole) - error(cut);
      }
    assert.ok(gained > 0);
  });
});

describe("SmoothQuant+", () => {
  it("keeps the float function at every exponent", async () => {
    for (const alpha of [0, 0.5, 1])
      assert.ok((await quantized(smoothquantPlus, { ...grid, alpha })).moved < 1e-5);
  });
  it("tries every twentieth, and the weights as they are", async () => {
    const tried = smoothquantPlus.bind(defaultsOf(smoothquantPlus)).candidates();
    assert.equal(tried.length, 22);
    assert.equal(
      smoothquantPlus.bind({ ...defaultsOf(smoothquantPlus), alpha: 0.5 }).candidates().length,
      1,
    );
    const bare = await quantized(smoothquantPlus, { ...grid, smooth: false });
    assert.deepEqual(bare, await quantized(rtn, grid));
  });
  it("divides the size between inputs and weights", () => {
    assert.deepEqual([...smoothFactors([4, 0, 9], [1, 1, 4], 0.5)], [2, 1, 1.5]);
    assert.deepEqual([...smoothFactors([4, 3], [1, 1], 1)], [4, 3]);
  });
});

describe("AdaDim", () => {
  const shape = { rows: 16, columns: 16 };
  it("groups a matrix with one huge input channel along its outputs", async () => {
    const matrix = weights(shape);
    const data = matrix.data.map((w, i) => (i % 16 === 5 ? 3 : w));
    for (const rounding of ["nearest", "gptq"]) {
      const fields = { ...grid, rounding };
      assert.equal((await packedBy(adadim, { ...matrix, data }, fields)).format, "turned_grid");
    }
    const rows = matrix.data.map((w, i) => (Math.floor(i / 16) === 5 ? 3 : w));
    assert.equal((await packedBy(adadim, { ...matrix, data: rows }, grid)).format, "grid");
  });
  it("holds the transposed matrix's rounding where it turns", async () => {
    const matrix = weights(shape);
    const data = matrix.data.map((w, i) => (i % 16 === 5 ? 3 : w));
    const values = valuesOf(adadim, await packedBy(adadim, { ...matrix, data }, grid));
    const turned = data.map((_, i) => data[(i % 16) * 16 + Math.floor(i / 16)] ?? NaN);
    const bar = valuesOf(rtn, await packedBy(rtn, { ...matrix, data: turned }, grid));
    for (const [i, value] of values.entries())
      assert.equal(value, bar[(i % 16) * 16 + Math.floor(i / 16)]);
  });
});

describe("FlexRound", () => {
  it("has the gradients of what rounding straight through is", () => {
    const matrix = weights({ rows: 3, columns: 20 }, 3);
    const start = fitGrid(matrix, { bits: 3, symmetric: false, granularity: 8 });
    const site = flexible(matrix, start, (scale) => scale);
    const [steps, each, row] = site.numbers;
    assert.ok(steps && each && row);
    // Smaller steps cut the largest weights; other divisors differ by weight and row.
    steps.forEach((_, g) => (steps[g] = -0.3 - 0.02 * g));
    each.forEach((_, i) => (each[i] = 0.1 * Math.sin(i)));
    row.forEach((_, i) => (row[i] = 0.05 * i));
    site.values();
    const { grid: at, codes } = site.made();
    const lead = Float32Array.from({ length: 60 }, (_, i) => Math.cos(3 * i));
    const made = site.backward(lead);
    let cut = 0;
    // Σ lead · s · (level + u' − u), u' the quotient that moves; without u' − u where the level is cut.
    const surrogate = (moved: readonly (readonly number[])[]): number => {
      let sum = 0;
      for (const [i, w] of matrix.data.entries()) {
        const g = Math.floor(i / 20) * 3 + Math.floor((i % 20) / 8);
        const [ds = 0, de = 0, dr = 0] = [moved[0]?.[g], moved[1]?.[i], moved[2]?.[Math.floor(i / 20)]]; // prettier-ignore
        const scale = (at.scales[g] ?? NaN) * Math.exp(ds);
        const divisor = Math.exp((each[i] ?? NaN) + (row[Math.floor(i / 20)] ?? NaN));
        const u = w / divisor / (at.scales[g] ?? NaN);
        const level = (codes[i] ?? NaN) - (at.zeros[g] ?? NaN);
        const inside = Math.abs(u - level) <= 0.5 + 1e-4;
        if (!inside) cut++;
        const through = inside ? w / (divisor * Math.exp(de + dr)) / scale - u : 0;
        sum += (lead[i] ?? NaN) * scale * (level + through);
      }
      return sum;
    };
    const none = site.numbers.map(({ length }) => new Array<number>(length).fill(0));
    for (const [kind, gradient] of made.entries())
      for (const [i, value] of gradient.entries()) {
        const by = (h: number) =>
          surrogate(none.map((zeros, k) => (k === kind ? zeros.with(i, h) : zeros)));
        const wanted = (by(1e-4) - by(-1e-4)) / 2e-4;
        assert.ok(Math.abs(value - wanted) < 1e-4, `${kind}, ${i}: ${value} for ${wanted}`);
      }
    assert.ok(cut > 0, "no weight is cut");
  });
  it("starts as rounding and ends below it", async () => {
    const bar = await quantized(rtn, grid);
    assert.deepEqual(await quantized(flexround, { ...grid, steps: 0 }), bar);
    const { error } = await quantized(flexround, { ...grid, steps: 60, learning_rate: 0.01 });
    assert.ok(error < 0.8 * bar.error, `${error} against ${bar.error}`);
  });
});

describe("OS+", () => {
  it("keeps the float function with shifts and factors, biases included", async () => {
    const { moved } = await quantized(osPlus, { ...grid, thresholds: 10 });
    assert.ok(moved < 1e-5, `the float output moved by ${moved}`);
  });
  it("centres channels behind a norm", async () => {
    const { context } = smallLayer();
    await osPlus.bind({ ...defaultsOf(osPlus), thresholds: 0 }).layer(context);
    const { low, high } = await context.of("layers.0.up_proj").columns();
    for (const [j, least] of low.entries())
      assert.ok(Math.abs(least + (high[j] ?? NaN)) < 1e-5 * (high[j] ?? NaN));
  });
  it("without shifts and thresholds is rounding", async () => {
    const bare = await quantized(osPlus, { ...grid, thresholds: 0, shift: false });
    assert.deepEqual(bare, await quantized(rtn, grid));
    assert.ok(thresholdFactors([-3, -1], [2, 1], 3).every((factor) => factor === 1));
    assert.deepEqual([...thresholdFactors([-3, -1], [2, 4], 2)], [1.5, 2]);
  });
});

describe("DGQ", () => {
  it("expands groups to 8-bit integers", async () => {
    const matrix = weights({ rows: 9, columns: 40 });
    const packed = await packedBy(dgq, matrix, { group: 16 });
    const whole = dualIntegers(packed);
    assert.ok(whole.every((value) => Math.abs(value) <= 127));
    assert.ok(Math.max(...whole.map(Math.abs)) > 60);
    const values = valuesOf(dgq, packed);
    const scales = floatsOf(arrayOf(packed, "scales"));
    for (const [i, value] of values.entries())
      assert.equal(value, Math.fround((scales[Math.floor(i / 40)] ?? NaN) * (whole[i] ?? NaN)));
  });
  it("brings down the largest channels alone, and keeps the float function", async () => {
    const factors = percentileFactors(Float32Array.from([1, 9, 2, 3, 1, 1]));
    assert.deepEqual([...factors], [1, 3, 1, 1, 1, 1]);
    assert.ok((await quantized(dgq, { group: 8 })).moved < 1e-5);
  });
});
