/** @file Rotary positions: inverse frequencies with their scalings, and the cos and sin tables of a batch. */
import type { ConfigReader } from "./config-reader.ts";

export interface Rotary {
  /** [headDim / 2] */
  readonly inverseFrequencies: Float64Array;
  /** Factor on cos and sin. */
  readonly scale: number;
}

/** The scaling types that are computed here. */
const scalings: Readonly<Record<RopeType, Scaling>> = {
  default: (plain) => plain,
  // Positions are divided by the factor.
  linear: (plain, parameters) => {
    const factor = parameters.positive("factor");
    return plain.map((frequency) => Math.fround(frequency / factor));
  },
  llama3,
};

type RopeType = "default" | "linear" | "llama3";
type Scaling = (
  plain: Float64Array,
  parameters: ConfigReader,
  config: ConfigReader,
) => Float64Array;

/**
 * Reads `rope_theta` with `rope_scaling` (transformers 4) or `rope_parameters` (5), types `default`,
 * `linear` and `llama3`, as transformers' `modeling_rope_utils` defines them. Frequencies are rounded
 * to float32 step by step, as there: at position 8192 one unit in the last place turns a head by 0.0005.
 */
export function readRotary(config: ConfigReader, headDim: number, defaultTheta: number): Rotary {
  const scaling = config.object("rope_scaling");
  const parameters = scaling ?? config.object("rope_parameters");
  const whole = "only rotation of the whole head is computed.";
  config.only("partial_rotary_factor", [1], whole);
  const shared = config.positive("rope_theta", defaultTheta);
  const theta = parameters?.positive("rope_theta", shared) ?? shared;
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / headDim))),
  );
  if (!parameters) return { inverseFrequencies: plain, scale: 1 };
  parameters.only("partial_rotary_factor", [1], whole);
  for (const layers of ["full_attention", "sliding_attention"])
    parameters.only(layers, [], "all layers must rotate alike.");
  const field = parameters.value("rope_type") === undefined ? "type" : "rope_type";
  const type = parameters.text(field, "default");
  if (isRopeType(type))
    return { inverseFrequencies: scalings[type](plain, parameters, config), scale: 1 };
  const known = Object.keys(scalings).join(", ");
  parameters.refuse(field, `the types are ${known}, not ${JSON.stringify(type)}.`);
  return { inverseFrequencies: plain, scale: 1 };
}

function isRopeType(type: string): type is RopeType {
  return Object.hasOwn(scalings, type);
}

/** Low frequencies divided by the factor, high ones kept, those between blended by their wavelength. */
function llama3(plain: Float64Array, parameters: ConfigReader, config: ConfigReader): Float64Array {
  const factor = parameters.positive("factor");
  const low = parameters.positive("low_freq_factor");
  const high = parameters.positive("high_freq_factor");
  const original = parameters.positive(
    "original_max_position_embeddings",
    config.positive("max_position_embeddings", 2048),
  );
  return plain.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > original / low) return Math.fround(frequency / factor);
    if (wavelength < original / high) return frequency;
    const blend = (original / wavelength - low) / (high - low);
    return Math.fround(((1 - blend) * frequency) / factor + blend * frequency);
  });
}

/** cos and sin of each position [positions.length, headDim / 2]. */
export function rotaryTables(
  rotary: Rotary,
  positions: ArrayLike<number>,
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = rotary.inverseFrequencies.length;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let row = 0; row < positions.length; row++)
    rotary.inverseFrequencies.forEach((frequency, i) => {
      const angle = Math.fround((positions[row] ?? 0) * frequency);
      cos[row * half + i] = Math.cos(angle) * rotary.scale;
      sin[row * half + i] = Math.sin(angle) * rotary.scale;
    });
  return { cos, sin };
}
