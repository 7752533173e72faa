/** @file Rotary positions: inverse frequencies with their scalings, and the cos and sin tables of a batch. */
import type { ConfigReader } from "./config-reader.ts";

export interface Rotary {
  /** [headDim / 2] */
  readonly inverseFrequencies: Float64Array;
  /** Factor on cos and sin. */
  readonly scale: number;
}

/**
 * Reads `rope_theta` with `rope_scaling` (transformers 4) or `rope_parameters` (5), types `default`,
 * `linear` and `llama3`, as transformers' `modeling_rope_utils` defines them.
 */
export function readRotary(config: ConfigReader, headDim: number, defaultTheta: number): Rotary {
  const parameters = config.object("rope_parameters") ?? config.object("rope_scaling");
  const theta = parameters?.float("rope_theta", config.float("rope_theta", defaultTheta)) ?? config.float("rope_theta", defaultTheta);
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  config.only("partial_rotary_factor", [1], "only rotation of the whole head is computed.");
  if (!parameters) return { inverseFrequencies: plain, scale: 1 };
  parameters.only("partial_rotary_factor", [1], "only rotation of the whole head is computed.");
  const type = parameters.text("rope_type", parameters.text("type", "default"));
  switch (type) {
    case "default":
      return { inverseFrequencies: plain, scale: 1 };
    case "linear": {
      const factor = parameters.float("factor", 1);
      return { inverseFrequencies: plain.map((f) => f / factor), scale: 1 };
    }
    case "llama3":
      return { inverseFrequencies: llama3(plain, parameters), scale: 1 };
    default:
      parameters.refuse("rope_type", `the types are default, linear and llama3, not ${type}.`);
      return { inverseFrequencies: plain, scale: 1 };
  }
}

/** Low frequencies divided by the factor, high ones kept, those between blended by their wavelength. */
function llama3(plain: Float64Array, parameters: ConfigReader): Float64Array {
  const factor = parameters.float("factor", 8);
  const low = parameters.float("low_freq_factor", 1);
  const high = parameters.float("high_freq_factor", 4);
  const original = parameters.float("original_max_position_embeddings", 8192);
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > original / low) return frequency / factor;
    if (wavelength < original / high) return frequency;
    const blend = (original / wavelength - low) / (high - low);
    return ((1 - blend) * frequency) / factor + blend * frequency;
  });
}

/** cos and sin of each position [positions.length, headDim / 2]. */
export function rotaryTables(rotary: Rotary, positions: ArrayLike<number>): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = rotary.inverseFrequencies.length;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let row = 0; row < positions.length; row++)
    rotary.inverseFrequencies.forEach((frequency, i) => {
      const angle = (positions[row] ?? 0) * frequency;
      cos[row * half + i] = Math.cos(angle) * rotary.scale;
      sin[row * half + i] = Math.sin(angle) * rotary.scale;
    });
  return { cos, sin };
}
