/** @file 16-bit floats: every value exactly, rounding to nearest even, no writing past the end. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createHalf, type Half, type HalfType } from "../../../kernels/half/index.ts";
import { expandReference, roundReference } from "../../../kernels/half/reference.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { pseudoRandom } from "./pseudo-random.ts";

const types: readonly HalfType[] = ["bfloat16", "float16"];
const everyCode = Uint16Array.from({ length: 65536 }, (_, code) => code);
let half: Half;
before(async () => {
  await buildKernels();
  half = createHalf(kernelBytes("half"), { scratchElements: 70000 });
});

const bitsOf = (values: Float32Array) =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);
const floatsOf = (bits: Uint32Array) => new Float32Array(bits.buffer);

/** Float32 patterns where rounding may go wrong: around each 16-bit value, each tie, each end. */
function awkward(type: HalfType): Float32Array {
  const next = pseudoRandom(3);
  const dropped = type === "bfloat16" ? 16 : 13;
  const around = [...everyCode].flatMap((code) => {
    const bits = expandReference(type, code);
    return [0, 1, -1, 1 << (dropped - 1), (1 << (dropped - 1)) - 1, (1 << (dropped - 1)) + 1].map(
      (step) => bits + step,
    );
  });
  const drawn = Array.from({ length: 50000 }, () => Math.floor(next() * 2 ** 32));
  const small = Array.from({ length: 50000 }, () => 0x33000000 + Math.floor(next() * 0x6000000));
  return floatsOf(Uint32Array.from([...around, ...drawn, ...small]));
}

for (const type of types)
  describe(type, () => {
    it("every code expands to the reference's bits", () => {
      const into = new Float32Array(65536);
      half.expandInto(type, everyCode, into);
      const expected = Uint32Array.from(everyCode, (code) => expandReference(type, code));
      assert.deepEqual(bitsOf(into), expected);
      assert.deepEqual(bitsOf(half.expand(type, everyCode, 3)), expected);
    });
    it("rounds as the reference does", () => {
      const values = awkward(type);
      const into = new Uint16Array(values.length);
      half.roundInto(type, values, into);
      const expected = Uint16Array.from(bitsOf(values), (bits) => roundReference(type, bits));
      assert.deepEqual(into, expected);
    });
    it("rounds every one of its own values to itself", () => {
      const wide = new Float32Array(65536);
      half.expandInto(type, everyCode, wide);
      const back = new Uint16Array(65536);
      half.roundInto(type, wide, back);
      const isNaNCode = (code: number) => Number.isNaN(wide[code]);
      for (const code of everyCode)
        if (!isNaNCode(code)) assert.equal(back[code], code);
        else assert.ok(isNaNCode(back[code] ?? 0), "a NaN stays one");
    });
    it("converts any count, to any place, and touches nothing else", () => {
      for (const count of [0, 1, 3, 7, 8, 9, 17, 32767, 32768, 32769, 40005]) {
        half.scratch.fill(-7);
        const bits = everyCode.subarray(1000, 1000 + count);
        const part = half.expand(type, bits, 5);
        assert.equal(part.buffer, half.scratch.buffer);
        const expected = new Float32Array(count);
        half.expandInto(type, bits, expected);
        assert.deepEqual(bitsOf(part), bitsOf(expected));
        assert.ok(half.scratch.subarray(0, 5).every((x) => x === -7));
        assert.ok(half.scratch.subarray(5 + count).every((x) => x === -7));
        const back = new Uint16Array(count);
        half.roundInto(type, expected, back);
        assert.deepEqual(
          back,
          Uint16Array.from(bitsOf(expected), (value) => roundReference(type, value)),
        );
      }
    });
    it("refuses what does not fit", () => {
      for (const call of [
        () => half.expand(type, everyCode, 70000 - 65535),
        () => half.expand(type, everyCode, -1),
        () => half.expand(type, everyCode, 0.5),
        () => half.expandInto(type, everyCode, new Float32Array(65535)),
        () => half.roundInto(type, new Float32Array(2), new Uint16Array(1)),
        () => createHalf(kernelBytes("half"), { scratchElements: NaN }),
      ])
        assert.throws(call, RangeError);
    });
  });

describe("the definition of float16", () => {
  // Math.f16round is another implementation of the same standard; Node 22 lacks it.
  const f16round = "f16round" in Math ? Math.f16round : undefined;
  it("agrees with the language's own rounding", { skip: f16round === undefined }, () => {
    const values = awkward("float16");
    for (const [i, bits] of bitsOf(values).entries()) {
      const rounded = expandReference("float16", roundReference("float16", bits));
      const own = f16round?.(values[i] ?? 0) ?? 0;
      assert.ok(Object.is(floatsOf(Uint32Array.of(rounded))[0], own), `bits ${bits.toString(16)}`);
    }
  });
  it("has the standard's landmarks", () => {
    const landmarks = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x8000, -0],
      [0x7c00, Infinity],
      [0x3555, 0.333251953125],
    ] as const;
    for (const [code, value] of landmarks)
      assert.ok(Object.is(floatsOf(Uint32Array.of(expandReference("float16", code)))[0], value));
    const [one, third] = bitsOf(Float32Array.of(1, 1 / 3));
    assert.equal(roundReference("bfloat16", one ?? 0), 0x3f80);
    assert.equal(roundReference("bfloat16", third ?? 0), 0x3eab);
  });
});
