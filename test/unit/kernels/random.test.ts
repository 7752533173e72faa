/** @file Random numbers: published vectors, WebAssembly equal to the reference, no dependence on how a stream is cut, sane statistics. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createRandom, permutation, streamKey } from "../../../kernels/random/index.ts";
import type { Random } from "../../../kernels/random/index.ts";
import { philox, streamBlock, type Block, type StreamKey } from "../../../kernels/random/philox.ts";
import {
  cosineAndSine,
  domains,
  keepReference,
  logUnit,
  normalReference,
  uniformReference,
  wordReference,
} from "../../../kernels/random/reference.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { pseudoRandom } from "./pseudo-random.ts";

let random: Random;
before(async () => {
  await buildKernels();
  random = createRandom(kernelBytes("random"));
});

const key = streamKey(7, "test");

/** What a seed means must not change: results recorded when the generator was written. */
const pinned = { zero: [2142689771, 1676535771], named: [1382222553, 1710823494], kept: 360031 };

describe("philox", () => {
  it("gives the vectors that its authors publish (Random123, kat_vectors)", () => {
    const ones = 0xffffffff;
    const vectors: readonly (readonly [Block, StreamKey, Block])[] = [
      [
        [0, 0, 0, 0],
        [0, 0],
        [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
      ],
      [
        [ones, ones, ones, ones],
        [ones, ones],
        [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
      ],
      [
        [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
        [0xa4093822, 0x299f31d0],
        [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
      ],
    ];
    for (const [counter, vectorKey, block] of vectors)
      assert.deepEqual(philox(counter, vectorKey), block);
    // The kernel reaches the first of them: key 0, block 0, domain 0.
    const words = new Uint32Array(4);
    random.words([0, 0], 0, words);
    assert.deepEqual([...words], vectors[0]?.[2]);
  });
});

/** Each fill with its reference, over one kind of array. */
const fills = [
  {
    name: "words",
    make: (n: number) => new Uint32Array(n),
    fill: (first: number, into: ArrayBufferView) =>
      into instanceof Uint32Array && random.words(key, first, into),
    reference: (i: number) => wordReference(key, i, domains.words),
  },
  {
    name: "uniform",
    make: (n: number) => new Float32Array(n),
    fill: (first: number, into: ArrayBufferView) =>
      into instanceof Float32Array && random.uniform(key, first, into, -0.3, 0.7),
    reference: (i: number) => uniformReference(key, i, -0.3, 0.7),
  },
  {
    name: "normal",
    make: (n: number) => new Float32Array(n),
    fill: (first: number, into: ArrayBufferView) =>
      into instanceof Float32Array && random.normal(key, first, into, 0.5, 0.02),
    reference: (i: number) => normalReference(key, i, 0.5, 0.02),
  },
  ...[0.9, 0.5, 1 / 512, 2 ** -32, 1 - 2 ** -32].map((p) => ({
    name: `keepMask ${p}`,
    make: (n: number) => new Uint8Array(n),
    fill: (first: number, into: ArrayBufferView) =>
      into instanceof Uint8Array && random.keepMask(key, first, into, p),
    reference: (i: number) => keepReference(key, i, p),
  })),
];

for (const { name, make, fill, reference } of fills)
  describe(name, () => {
    it("equals the reference at any place and length", () => {
      // Among the places: carries into the upper counter word, for each kind of element.
      for (const first of [0, 1, 5, 16, 31, 4095, 16383, 2 ** 34 - 9, 2 ** 36 - 70, 2 ** 50 + 3])
        for (const count of [0, 1, 7, 33, 150]) {
          const made = make(count);
          fill(first, made);
          const expected = make(count);
          for (let i = 0; i < count; i++) expected[i] = reference(first + i);
          assert.deepEqual(made, expected, `${count} from ${first}`);
        }
    });
    it("does not depend on how the stream is cut", () => {
      const whole = make(40000);
      fill(3, whole);
      const next = pseudoRandom(11);
      for (let done = 0; done < whole.length;) {
        const piece = make(Math.min(whole.length - done, Math.floor(next() * 18000)));
        fill(3 + done, piece);
        assert.deepEqual(piece, whole.slice(done, done + piece.length));
        done += piece.length;
      }
    });
    it("refuses a place that is none", () => {
      for (const first of [-1, 0.5, NaN, 2 ** 53])
        assert.throws(() => fill(first, make(1)), RangeError);
    });
  });

describe("statistics for a fixed seed", () => {
  const count = 400000;
  /** Σ (observed - expected)² / expected. */
  const chiSquare = (observed: readonly number[], probabilities: readonly number[]): number => {
    const total = observed.reduce((sum, n) => sum + n, 0);
    return observed.reduce((sum, n, i) => {
      const expected = total * (probabilities[i] ?? NaN);
      return sum + (n - expected) ** 2 / expected;
    }, 0);
  };

  const count1 = (bins: number[], bin: number) => (bins[bin] = (bins[bin] ?? NaN) + 1);

  it("uniform numbers fill 256 bins evenly, alone and as successive pairs", () => {
    const x = new Float32Array(count);
    random.uniform(key, 0, x);
    assert.ok(x.every((value) => value >= 0 && value < 1));
    const single = new Array<number>(256).fill(0);
    const pairs = new Array<number>(256).fill(0);
    for (let i = 0; i < count; i++) {
      const a = x[i] ?? NaN;
      const b = x[i + 1] ?? 0;
      count1(single, Math.floor(a * 256));
      count1(pairs, Math.floor(a * 16) * 16 + Math.floor(b * 16));
    }
    // 255 degrees of freedom: 255 ± 4 standard deviations of 22.6.
    const even = new Array<number>(256).fill(1 / 256);
    for (const bins of [single, pairs]) assert.ok(Math.abs(chiSquare(bins, even) - 255) < 90);
  });
  it("normal numbers have the moments and the tails of the normal distribution", () => {
    const z = new Float32Array(count);
    random.normal(key, 0, z);
    const moment = (power: number) => z.reduce((sum, x) => sum + x ** power, 0) / count;
    // Standard errors: sqrt(1, 2, 15, 96 over count).
    assert.ok(Math.abs(moment(1)) < 4 * Math.sqrt(1 / count));
    assert.ok(Math.abs(moment(2) - 1) < 4 * Math.sqrt(2 / count));
    assert.ok(Math.abs(moment(3)) < 4 * Math.sqrt(15 / count));
    assert.ok(Math.abs(moment(4) - 3) < 4 * Math.sqrt(96 / count));
    const tails = [0.0013498980316301, 0.0213602339, 0.135905122, 0.3413447461];
    const probabilities = [...tails, ...tails.toReversed()];
    const observed = new Array<number>(8).fill(0);
    for (const x of z) count1(observed, Math.min(7, Math.max(0, Math.floor(x) + 4)));
    assert.ok(chiSquare(observed, probabilities) < 24.3, "7 degrees of freedom, one in a thousand");
  });
  it("masks keep as many as they say", () => {
    const mask = new Uint8Array(count);
    for (const p of [0.9, 0.5, 0.1, 1 / 512, 0.99999]) {
      random.keepMask(key, 0, mask, p);
      const kept = mask.reduce((sum, keep) => sum + keep, 0);
      assert.ok(Math.abs(kept - count * p) < 4 * Math.sqrt(count * p * (1 - p)), `${p}: ${kept}`);
    }
    random.keepMask(key, 0, mask, 0.9);
    assert.equal(
      mask.reduce((sum, keep) => sum + keep, 0),
      pinned.kept,
    );
  });
  it("masks decide by all 32 bits of the probability", () => {
    const mask = new Uint8Array(1);
    for (const index of [0, 77, 12345]) {
      const word = wordReference(key, Math.floor(index / 4), domains.keep);
      const [tie] = streamBlock(key, index, domains.ties);
      const drawn = ((word >>> (8 * (index % 4))) & 255) * 2 ** 24 + (tie >>> 8);
      for (const [threshold, kept] of [
        [drawn, 0],
        [drawn + 1, 1],
      ] as const) {
        random.keepMask(key, index, mask, threshold / 2 ** 32);
        assert.equal(mask[0], kept);
      }
    }
  });
  it("masks of probability 0 and 1 are constant; others are refused", () => {
    const mask = new Uint8Array(100);
    random.keepMask(key, 5, mask, 1);
    assert.ok(mask.every((keep) => keep === 1));
    random.keepMask(key, 5, mask, 0);
    assert.ok(mask.every((keep) => keep === 0));
    for (const p of [-0.1, 1.1, NaN])
      assert.throws(() => random.keepMask(key, 0, mask, p), RangeError);
  });
  it("streams of neighbouring names do not resemble each other", () => {
    const keys = [
      streamKey(7, "dropout", 1, "a"),
      streamKey(7, "dropout", 2, "a"),
      streamKey(7, "dropout", 1, "b"),
      streamKey(8, "dropout", 1, "a"),
    ];
    const masks = keys.map((stream) => {
      const mask = new Uint8Array(count);
      random.keepMask(stream, 0, mask, 0.5);
      return mask;
    });
    for (const [i, a] of masks.entries())
      for (const b of masks.slice(i + 1)) {
        const equal = a.reduce((sum, bit, j) => sum + (bit === b[j] ? 1 : 0), 0);
        assert.ok(Math.abs(equal - count / 2) < 4 * Math.sqrt(count / 4));
      }
  });
});

describe("the functions under the normal distribution", () => {
  const next = pseudoRandom(5);
  const words = [
    ...[0, 1, 2, 2 ** 29 - 1, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32 - 1],
    ...Array.from({ length: 5000 }, () => Math.floor(next() * 2 ** 32)),
  ];
  it("the logarithm is right to 1e-11 of itself", () => {
    for (const word of words) {
      const u = (word + 0.5) / 2 ** 32;
      // Near 1 the library's log1p keeps the digits that the quotient has lost.
      const exact = u > 0.5 ? Math.log1p((word + 0.5 - 2 ** 32) / 2 ** 32) : Math.log(u);
      assert.ok(Math.abs(logUnit(word) / exact - 1) < 1e-11, `${word}`);
    }
  });
  it("cosine and sine are right to 1e-11", () => {
    for (const word of words) {
      const angle = (2 * Math.PI * word) / 2 ** 32;
      const [cosine, sine] = cosineAndSine(word);
      assert.ok(Math.abs(cosine - Math.cos(angle)) < 1e-11, `${word}`);
      assert.ok(Math.abs(sine - Math.sin(angle)) < 1e-11, `${word}`);
    }
  });
});

describe("streamKey", () => {
  it("is stable", () => {
    assert.deepEqual(streamKey(0), pinned.zero);
    assert.deepEqual(streamKey(42, "dropout", 3, "layer.1.q_proj"), pinned.named);
  });
  it("tells apart whatever is named differently", () => {
    const names: readonly (readonly (string | number)[])[] = [
      [],
      [0],
      [0, 0],
      [""],
      ["", ""],
      ["a"],
      ["b"],
      ["ab"],
      ["a", "b"],
      ["b", "a"],
      ["a\0"],
      ["0"],
      [97],
      [-1],
      [2 ** 32],
      [2 ** 32 - 1],
      [-(2 ** 32)],
      ["é"],
      ["x".repeat(70000)],
    ];
    const keys = names.flatMap((parts) =>
      [0, 1, -1, 2 ** 40].map((seed) => streamKey(seed, ...parts)),
    );
    assert.equal(new Set(keys.map(String)).size, keys.length);
  });
  it("refuses numbers that are not whole", () => {
    for (const part of [0.5, NaN, Infinity, 2 ** 53])
      assert.throws(() => streamKey(0, part), RangeError);
  });
});

describe("permutation", () => {
  it("is an order of all indices, the same for a key", () => {
    for (const count of [0, 1, 2, 1000]) {
      const order = permutation(key, count);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        [...order.keys()],
      );
      assert.deepEqual(permutation(key, count), order);
    }
    assert.notDeepEqual(permutation(key, 1000), permutation(streamKey(8), 1000));
  });
  it("favours none of the six orders of three", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = permutation(streamKey(1, i), 3).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.equal(counts.size, 6);
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    assert.ok(chi < 20.5, `5 degrees of freedom, one in a thousand: ${chi}`);
  });
});
