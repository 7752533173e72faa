/** @file 16-bit and 32-bit floats in plain TypeScript, on bit patterns: the definition that the WebAssembly must equal. */

/** The 16-bit formats: bfloat16 (8 exponent bits, 7 of fraction) and IEEE 754 binary16 (5 and 10). */
export type HalfType = "bfloat16" | "float16";

/** The float32 bits of the same value; every 16-bit float is a float32. */
export function expandReference(type: HalfType, bits: number): number {
  if (type === "bfloat16") return (bits << 16) >>> 0;
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  return (sign | bitsOf(fraction * 2 ** -24)) >>> 0;
}

/** The bits of the nearest 16-bit float, ties to even; a NaN stays one (quiet), overflow is infinity. */
export function roundReference(type: HalfType, bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  const [dropped, infinity, quiet] =
    type === "bfloat16" ? ([16, 0x7f80, 0x40] as const) : ([13, 0x7c00, 0x200] as const);
  if (magnitude > 0x7f800000)
    return sign | infinity | quiet | ((magnitude >> dropped) & (quiet - 1 + quiet));
  if (type === "bfloat16") return sign | roundToEven(magnitude / 2 ** 16);
  const value = floatOf(magnitude);
  if (value < 2 ** -14) return sign | roundToEven(value * 2 ** 24);
  return sign | Math.min(infinity, roundToEven((magnitude - (112 << 23)) / 2 ** 13));
}

/** Positive numbers that are exact in float64, to the nearest integer. */
function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? NaN;
}

function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN;
}
