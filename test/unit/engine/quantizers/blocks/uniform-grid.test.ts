/** @file Uniform grids and their packed codes: bounds, edges, searches against brute force, what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { normalMatrix } from "../../../../../kernels/krylov/normal.ts";
import {
  packBits,
  packedBytes,
  unpackBits,
} from "../../../../../src/engine/quantizers/blocks/bit-packing.ts";
import {
  decodeGrid,
  encodeGrid,
  fitGrid,
  roundEven,
  type GridOptions,
} from "../../../../../src/engine/quantizers/blocks/uniform-grid.ts";
import type { Data, Matrix } from "../../../../../kernels/linalg/matrix.ts";
import { pseudoRandom } from "../../../kernels/pseudo-random.ts";

const bitWidths = [2, 3, 4, 5, 6, 7, 8] as const;

function weights(rows: number, columns: number, seed = 1) {
  const { data } = normalMatrix(rows, columns, seed);
  return { rows, columns, data: new Float32Array(data) };
}

function roundTrip(matrix: Matrix<Data>, options: GridOptions) {
  const grid = fitGrid(matrix, options);
  const codes = encodeGrid(matrix, grid);
  return { grid, codes, values: decodeGrid(codes, grid) };
}

const error = (a: ArrayLike<number>, b: ArrayLike<number>, norm = 2) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)) ** norm;
  return sum;
};

describe("a uniform grid", () => {
  it("has every weight within half a step, for all widths, kinds and granularities", () => {
    const W = weights(7, 37);
    for (const bits of bitWidths)
      for (const symmetric of [true, false])
        for (const granularity of ["tensor", "row", 8, 64] as const) {
          const { grid, codes, values } = roundTrip(W, { bits, symmetric, granularity });
          const [group, perRow] =
            granularity === "tensor" ? [7 * 37, 1] : granularity === "row" ? [37, 1] : [granularity, Math.ceil(37 / granularity)]; // prettier-ignore
          assert.equal(grid.scales.length, granularity === "tensor" ? 1 : 7 * perRow);
          for (const [i, w] of W.data.entries()) {
            const row = granularity === "tensor" ? 0 : Math.floor(i / 37);
            const g = granularity === "tensor" ? 0 : Math.floor((i % 37) / group);
            const step = grid.scales[row * perRow + g] ?? NaN;
            const most = 0.5001 * step;
            assert.ok(Math.abs((values[i] ?? NaN) - w) <= most, `${bits} ${symmetric} ${i}`);
            assert.ok((codes[i] ?? NaN) < 2 ** bits);
          }
        }
  });
  it("keeps zeros zero, and a constant row to a rounding", () => {
    for (const symmetric of [true, false])
      for (const bits of bitWidths) {
        const data = new Float32Array(24);
        data.fill(0.3, 8, 16);
        data.fill(-7e30, 16);
        const W = { rows: 3, columns: 8, data };
        const { values } = roundTrip(W, { bits, symmetric, granularity: "row" });
        assert.ok(values.subarray(0, 8).every((x) => x === 0));
        if (symmetric) continue;
        for (let i = 8; i < 24; i++)
          assert.ok(Math.abs((values[i] ?? NaN) / (data[i] ?? NaN) - 1) < 1e-6, `${values[i]}`);
      }
  });
  it("takes numbers too small to be divided for zeros", () => {
    const W = { rows: 1, columns: 3, data: new Float32Array([1e-45, 0, -1e-45]) };
    for (const symmetric of [true, false])
      assert.deepEqual([...roundTrip(W, { bits: 8, symmetric, granularity: "row" }).values], [0, 0, 0]); // prettier-ignore
  });
  it("rounds halves to even", () => {
    assert.deepEqual([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999].map(roundEven), [0, 2, 2, 0, -2, 2]);
  });
  it("has the range and zero of each rule", () => {
    const W = { rows: 1, columns: 2, data: new Float32Array([1, 4]) };
    const fit = (rule: "gptq" | "awq", symmetric: boolean) => {
      const { scales, zeros } = fitGrid(W, { bits: 4, symmetric, granularity: "row", rule });
      return [scales[0], zeros[0]];
    };
    assert.deepEqual(fit("gptq", false), [Math.fround(4 / 15), 0]);
    assert.deepEqual(fit("gptq", true), [Math.fround(8 / 15), 8]);
    assert.deepEqual(fit("awq", false), [Math.fround(3 / 15), 0]);
    assert.deepEqual(fit("awq", true), [Math.fround(4 / 7), 8]);
  });
  it("decodes what it coded to the same codes", () => {
    const W = weights(5, 50, 3);
    for (const bits of bitWidths) {
      const { grid, codes, values } = roundTrip(W, { bits, symmetric: false, granularity: 16 });
      const again = encodeGrid({ rows: 5, columns: 50, data: values }, grid);
      assert.deepEqual(again, codes);
    }
  });
});

describe("the range of a uniform grid", () => {
  it("shrunk is the best of all its steps, so never worse than min-max", () => {
    const W = weights(4, 64, 5);
    W.data[3] = 9;
    for (const norm of [2, 2.4]) {
      const options = { bits: 3, symmetric: false, granularity: "row" } as const;
      const row = (values: Float32Array, i: number) => values.subarray(64 * i, 64 * (i + 1));
      const found = roundTrip(W, { ...options, range: { kind: "shrunk", norm } }).values;
      for (let i = 0; i < 4; i++) {
        const own = { rows: 1, columns: 64, data: row(W.data, i) };
        let least = Infinity;
        for (let step = 0; step < 80; step++) {
          const factor = 1 - step / 100;
          const low = Math.fround(Math.min(0, ...own.data) * factor);
          const high = Math.fround(Math.max(0, ...own.data) * factor);
          const ends = { rows: 1, columns: 2, data: new Float32Array([low, high]) };
          const grid = { ...fitGrid(ends, options), columns: 64 };
          least = Math.min(least, error(decodeGrid(encodeGrid(own, grid), grid), own.data, norm));
        }
        const got = error(row(found, i), own.data, norm);
        assert.ok(Math.abs(got - least) <= 1e-9 * least);
        assert.ok(got <= error(roundTrip(own, options).values, own.data, norm));
      }
    }
  });
  it("of a percentile leaves outliers out; all of them is min-max", () => {
    const W = weights(2, 1000, 7);
    W.data[1] = 1000;
    const options = { bits: 4, symmetric: true, granularity: "row" } as const;
    const whole = fitGrid(W, { ...options, range: { kind: "percentile", share: 1 } });
    assert.deepEqual(whole, fitGrid(W, options));
    const cut = fitGrid(W, { ...options, range: { kind: "percentile", share: 0.99 } });
    assert.ok((cut.scales[0] ?? NaN) < 1);
  });
  it("clipped at a limit spans no more than it", () => {
    const W = weights(2, 8, 9);
    const limits = new Float32Array([0.5, 100]);
    const options = { bits: 4, symmetric: false, granularity: "row", rule: "awq" } as const;
    const grid = fitGrid(W, { ...options, range: { kind: "clipped", limits } });
    assert.ok((grid.scales[0] ?? NaN) <= Math.fround(1 / 15));
    assert.equal(grid.scales[1], fitGrid(W, options).scales[1]);
    const above = { rows: 1, columns: 2, data: new Float32Array([3, 4]) };
    const range = { kind: "clipped", limits: new Float32Array([2]) } as const;
    const cut = fitGrid(above, { ...options, rule: "gptq", range });
    assert.equal(cut.scales[0], Math.fround(2 / 15));
    const flat = fitGrid(above, { ...options, range });
    assert.equal(flat.scales[0], Math.fround(1e-5 / 15));
  });
});

describe("a uniform grid refuses", () => {
  const W = weights(2, 4);
  const options = { bits: 4, symmetric: false, granularity: "row" } as const;
  it("NaN and infinities, by place", () => {
    for (const bad of [NaN, Infinity]) {
      const data = W.data.slice();
      data[5] = bad;
      const spoilt = { ...W, data };
      assert.throws(() => fitGrid(spoilt, options), /\[1, 1\]/);
      assert.throws(() => encodeGrid(spoilt, fitGrid(W, options)), /\[1, 1\]/);
    }
  });
  it("widths, groups and shares that there are not", () => {
    for (const bits of [1, 9, 2.5, NaN])
      assert.throws(() => fitGrid(W, { ...options, bits }), RangeError);
    for (const granularity of [0, -1, 1.5])
      assert.throws(() => fitGrid(W, { ...options, granularity }), RangeError);
    for (const share of [0.5, 1.01, NaN])
      assert.throws(
        () => fitGrid(W, { ...options, range: { kind: "percentile", share } }),
        RangeError,
      );
    assert.throws(
      () => fitGrid(W, { ...options, range: { kind: "clipped", limits: new Float32Array(1) } }),
      /Group 1/,
    );
  });
});

describe("packed codes", () => {
  it("come back, whole or in part, in as few bytes as they fit", () => {
    const random = pseudoRandom(1);
    for (const bits of [1, ...bitWidths])
      for (const count of [0, 1, 7, 8, 33, 1000]) {
        const codes = Uint8Array.from({ length: count }, () => Math.floor(random() * 2 ** bits));
        const packed = packBits(codes, bits);
        assert.equal(packed.length, Math.ceil((count * bits) / 8));
        assert.equal(packed.length, packedBytes(count, bits));
        assert.deepEqual(unpackBits(packed, bits, count), codes);
        if (count > 9) assert.deepEqual(unpackBits(packed, bits, 5, 4), codes.slice(4, 9));
      }
  });
  it("lie lowest bits first, as little-endian words have them", () => {
    assert.deepEqual([...packBits(Uint8Array.of(1, 2, 3, 4), 4)], [0x21, 0x43]);
    assert.deepEqual([...packBits(Uint8Array.of(7, 0, 5), 3)], [0b01000111, 0b1]);
  });
  it("refuse codes that do not fit and runs that are too short", () => {
    assert.throws(() => packBits(Uint8Array.of(3, 4), 2), /Code 1/);
    assert.throws(() => unpackBits(new Uint8Array(2), 3, 6), /3 bytes/);
    assert.throws(() => packedBytes(1, 9), RangeError);
  });
});
