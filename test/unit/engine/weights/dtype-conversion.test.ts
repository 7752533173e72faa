/** @file 16-bit floats against arithmetic that is right by definition, all 65,536 of them, and the search for NaN. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  findNonFinite,
  float32ToHalf,
  halfToFloat32,
  type HalfType,
} from "../../../../src/engine/weights/dtype-conversion.ts";
import { dtypeBytes, type DType } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import { randomNumbers } from "./mutations.ts";

const formats: readonly { type: HalfType; exponentBits: number; fractionBits: number }[] = [
  { type: "float16", exponentBits: 5, fractionBits: 10 },
  { type: "bfloat16", exponentBits: 8, fractionBits: 7 },
];

const all = Uint16Array.from({ length: 0x10000 }, (_, half) => half);

/** The value of a 16-bit float by IEEE 754's definition. */
function valueOf(half: number, exponentBits: number, fractionBits: number): number {
  const sign = half >= 0x8000 ? -1 : 1;
  const exponent = (half >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (half & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

const widen = (type: HalfType, from: Uint16Array) => {
  const into = new Float32Array(from.length);
  halfToFloat32(type, from, into);
  return into;
};
const round = (type: HalfType, ...from: readonly number[]) => {
  const into = new Uint16Array(from.length);
  float32ToHalf(type, Float32Array.from(from), into);
  return into;
};
const roundBits = (type: HalfType, ...from: readonly number[]) => {
  const into = new Uint16Array(from.length);
  float32ToHalf(type, new Float32Array(Uint32Array.from(from).buffer), into);
  return [...into];
};

for (const { type, exponentBits, fractionBits } of formats)
  describe(type, () => {
    it("becomes float32 exactly, for every value there is", () => {
      const wide = widen(type, all);
      for (let half = 0; half < 0x10000; half += 1) {
        const value = valueOf(half, exponentBits, fractionBits);
        if (!Object.is(wide[half], value)) assert.fail(`${half}: ${wide[half]} is not ${value}`);
      }
    });

    it("comes back to the same bits, NaN and both zeros included", () => {
      const back = new Uint16Array(0x10000);
      float32ToHalf(type, widen(type, all), back);
      assertSame(back, all);
    });

    it("rounds what lies between two neighbours to the nearer one, ties to the even one", () => {
      const infinite = (2 ** exponentBits - 1) << fractionBits;
      const overflow = 2 ** (2 ** (exponentBits - 1));
      // Four results for each pair: just below the middle, the middle, just above it, and negative.
      const from = new Float32Array(infinite * 4);
      const expected = new Uint16Array(infinite * 4);
      for (let low = 0; low < infinite; low += 1) {
        const down = valueOf(low, exponentBits, fractionBits);
        const up = low + 1 === infinite ? overflow : valueOf(low + 1, exponentBits, fractionBits);
        const middle = (down + up) / 2;
        const even = low + (low % 2);
        from.set([middle, middle, middle, -middle], low * 4);
        expected.set([low, even, low + 1, even | 0x8000], low * 4);
      }
      // The float32 neighbours of a positive one are the neighbours of its bits.
      const bits = new Uint32Array(from.buffer);
      for (let index = 0; index < bits.length; index += 4) {
        bits[index] = at(bits, index) - 1;
        bits[index + 2] = at(bits, index + 2) + 1;
      }
      const rounded = new Uint16Array(from.length);
      float32ToHalf(type, from, rounded);
      assertSame(rounded, expected);
    });

    it("keeps a NaN a NaN when the upper bits of its payload are zero", () => {
      const quiet = type === "float16" ? 0x7e00 : 0x7fc0;
      assert.deepEqual(roundBits(type, 0x7f800001, 0xff800001, 0x7fc00000), [
        quiet,
        quiet | 0x8000,
        quiet,
      ]);
      assert.deepEqual(roundBits(type, 0x7fffffff), [0x7fff]);
    });

    it("makes infinity of infinity and of what is too large, zero of what is too small", () => {
      const infinite = type === "float16" ? 0x7c00 : 0x7f80;
      assert.deepEqual([...round(type, Infinity, -Infinity)], [infinite, infinite | 0x8000]);
      assert.deepEqual(roundBits(type, 0x7f7fffff, 0xff7fffff), [infinite, infinite | 0x8000]);
      assert.deepEqual(roundBits(type, 1, 0x80000001), [0, 0x8000]);
    });
  });

it("rounds random float32 to float16 as the runtime's own Float16Array, where it has one", (t) => {
  if (typeof Float16Array === "undefined") {
    t.skip("this Node has no Float16Array");
    return;
  }
  const random = randomNumbers(7);
  const bits = Uint32Array.from({ length: 200_000 }, () => random(2 ** 32));
  const from = new Float32Array(bits.buffer).map((value) => (Number.isNaN(value) ? 1 : value));
  const into = new Uint16Array(from.length);
  float32ToHalf("float16", from, into);
  assertSame(into, new Uint16Array(Float16Array.from(from).buffer));
});

/** deepEqual of long arrays would take minutes to draw their difference. */
function assertSame(found: Uint16Array, expected: Uint16Array): void {
  const index = expected.findIndex((half, i) => found[i] !== half);
  if (index !== -1) assert.fail(`${index}: ${found[index]} is not ${expected[index]}`);
}

describe("findNonFinite", () => {
  const bad: readonly (readonly [DType, readonly number[]])[] = [
    ["float64", [0, 0, 0, 0, 0, 0, 0xf0, 0x7f]],
    ["float32", [0, 0, 0x80, 0x7f]],
    ["float32", [1, 0, 0x80, 0xff]],
    ["float16", [0, 0x7c]],
    ["float16", [0xff, 0xff]],
    ["bfloat16", [0x80, 0x7f]],
    ["bfloat16", [0xc1, 0xff]],
  ];
  const largest: readonly (readonly [DType, readonly number[]])[] = [
    ["float64", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0xff]],
    ["float32", [0xff, 0xff, 0x7f, 0xff]],
    ["float16", [0xff, 0xfb]],
    ["bfloat16", [0x7f, 0xff]],
  ];
  /** `count` elements of the largest finite value, negative, with some of them replaced. */
  const filled = (
    dtype: DType,
    count: number,
    replaced: Readonly<Record<number, readonly number[]>>,
  ) => {
    const finite = at(largest.find(([name]) => name === dtype) ?? [], 1);
    assert.ok(typeof finite === "object");
    const bytes = Uint8Array.from(
      { length: count * dtypeBytes[dtype] },
      (_, i) => finite[i % finite.length] ?? 0,
    );
    for (const [index, element] of Object.entries(replaced))
      bytes.set(element, Number(index) * dtypeBytes[dtype]);
    return bytes;
  };

  it("finds the first one wherever it is, at odd lengths and odd addresses too", () => {
    for (const [dtype, element] of bad)
      for (const count of [1, 2, 3, 4095, 8193, 16391])
        for (const index of new Set([0, 1, 2, count >> 1, count - 2, count - 1])) {
          if (index < 0 || index >= count) continue;
          const bytes = filled(dtype, count, { [index]: element, [count - 1]: element });
          assert.equal(findNonFinite(bytes, dtype), index, `${dtype} ${index} of ${count}`);
          const shifted = new Uint8Array(bytes.length + 1);
          shifted.set(bytes, 1);
          assert.equal(findNonFinite(shifted.subarray(1), dtype), index);
        }
  });

  it("passes the largest finite values, whole numbers, and nothing", () => {
    for (const [dtype] of largest) {
      assert.equal(findNonFinite(filled(dtype, 9001, {}), dtype), undefined);
      assert.equal(findNonFinite(new Uint8Array(0), dtype), undefined);
    }
    for (const dtype of [
      "int64",
      "int32",
      "int16",
      "int8",
      "uint32",
      "uint16",
      "uint8",
      "bool",
    ] as const)
      assert.equal(findNonFinite(new Uint8Array(64).fill(0xff), dtype), undefined);
  });
});
