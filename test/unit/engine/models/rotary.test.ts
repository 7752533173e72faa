/** @file Rotary frequencies and their scalings against transformers' numbers, far out in a long context. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../../../src/engine/models/config-reader.ts";
import { readRotary, rotaryTables } from "../../../../src/engine/models/rotary.ts";
import { at } from "../../../../src/shared/errors.ts";

interface Expected {
  readonly scaling: Readonly<Record<string, unknown>> | null;
  readonly frequencies: readonly number[];
  /** At position 8191. */
  readonly cos: readonly number[];
  readonly sin: readonly number[];
}

/** `LlamaRotaryEmbedding` of transformers 5.23.0: heads of 16, theta 500000, 131072 positions. */
const expected: readonly Expected[] = [
  {
    scaling: null,
    frequencies: [
      1.0, 0.193922758, 0.0376060307, 0.00729266508, 0.00141421345, 0.000274248188, 5.31829573e-5,
      1.03133852e-5,
    ],
    cos: [
      -0.646390498, 0.339305282, 0.988022983, -0.999033988, 0.554904342, -0.625342727, 0.906607926,
      0.996433914,
    ],
    sin: [
      -0.763006806, -0.940676332, 0.154306799, -0.0439440235, -0.831914186, 0.780350208,
      0.421974033, 0.0843764991,
    ],
  },
  {
    scaling: { rope_type: "linear", factor: 4 },
    frequencies: [
      0.25, 0.0484806895, 0.00940150768, 0.00182316627, 0.000353553361, 6.85620471e-5,
      1.32957393e-5, 2.57834631e-6,
    ],
    cos: [
      0.842757821, 0.301394194, -0.03872177, -0.71483469, -0.969982624, 0.846408546, 0.994075656,
      0.999777019,
    ],
    sin: [
      -0.538292885, 0.953499615, 0.999250054, 0.699293435, 0.243174344, 0.532534122, 0.108690247,
      0.0211176649,
    ],
  },
  {
    scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
    frequencies: [
      1.0, 0.193922758, 0.0376060307, 0.00729266508, 0.000524846022, 3.42810235e-5, 6.64786967e-6,
      1.28917316e-6,
    ],
    cos: [
      -0.646390498, 0.339305282, 0.988022983, -0.999033988, -0.401702672, 0.960835218, 0.998517811,
      0.99994427,
    ],
    sin: [
      -0.763006806, -0.940676332, 0.154306799, -0.0439440235, -0.915770173, 0.277120441,
      0.0544257946, 0.010559421,
    ],
  },
];

function rotary(config: Readonly<Record<string, unknown>>, headDim = 16) {
  const reader = readConfig(config, "config.json");
  const value = readRotary(reader, headDim, 10000);
  assert.deepEqual(reader.findings, []);
  return value;
}

describe("rotary positions", () => {
  for (const { scaling, frequencies, cos, sin } of expected)
    it(`equal transformers' with scaling ${JSON.stringify(scaling)}`, () => {
      const shared = { max_position_embeddings: 131072 };
      // As transformers 4 writes it, and as 5 does.
      const made = rotary({ ...shared, rope_theta: 500000, rope_scaling: scaling });
      const nested = { ...scaling, rope_theta: 500000 };
      assert.deepEqual(rotary({ ...shared, rope_parameters: nested }), made);
      frequencies.forEach((frequency, i) => {
        assertClose(at(made.inverseFrequencies, i) / frequency, 1, 2e-7);
      });
      const tables = rotaryTables(made, [0, 8191]);
      cos.forEach((value, i) => {
        assertClose(at(tables.cos, cos.length + i), value, 1e-6);
      });
      sin.forEach((value, i) => {
        assertClose(at(tables.sin, sin.length + i), value, 1e-6);
      });
      assert.deepEqual([...tables.cos.subarray(0, 8)], Array(8).fill(1));
    });

  it("take theta 10000, and llama3's original length from the longest, where nothing is said", () => {
    assertClose(at(rotary({}).inverseFrequencies, 1), 10000 ** (-2 / 16), 1e-7);
    const llama3 = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const config = { max_position_embeddings: 8192, rope_theta: 500000, rope_scaling: llama3 };
    assertClose(at(rotary(config).inverseFrequencies, 4), 0.000524846022, 1e-10);
  });

  it("prefer `rope_scaling` to `rope_parameters`, as transformers does", () => {
    const both = {
      rope_scaling: { type: "linear", factor: 2 },
      rope_parameters: { rope_type: "linear", factor: 4 },
    };
    const reader = readConfig(both, "config.json");
    assert.equal(at(readRotary(reader, 16, 10000).inverseFrequencies, 0), 0.5);
  });
});

function assertClose(made: number, wanted: number, tolerance: number): void {
  assert(Math.abs(made - wanted) <= tolerance, `${made}, not ${wanted}`);
}
