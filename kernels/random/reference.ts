/** @file The random fills in plain TypeScript, element by element: the definition that the WebAssembly must equal. */
import { streamBlock, type StreamKey } from "./philox.ts";

/** The last counter word: what a stream's blocks are used for. */
export const domains = { words: 0, normal: 1, keep: 2, ties: 3 } as const;

/** Word `index` of the stream: four to a block. */
export function wordReference(key: StreamKey, index: number, domain: number): number {
  const block = streamBlock(key, Math.floor(index / 4), domain);
  return block[index % 4] ?? NaN;
}

/** Element `index`, uniform: low + range · (upper 24 bits of its word / 2^24), each step in float32. */
export function uniformReference(key: StreamKey, index: number, low = 0, high = 1): number {
  const unit = (wordReference(key, index, domains.words) >>> 8) / 2 ** 24;
  const range = Math.fround(high - low);
  return Math.fround(Math.fround(low) + Math.fround(range * unit));
}

/**
 * Element `index`, 1 (keep) with the given probability, else 0. Its byte of the stream is compared
 * with the upper 8 of the probability's 32 bits; only where they are equal (one in 256) are 24 more
 * bits drawn, so that 8 random bits a decision give a resolution of 2^-32.
 */
export function keepReference(key: StreamKey, index: number, keepProbability: number): number {
  const threshold = keepThreshold(keepProbability);
  const word = wordReference(key, Math.floor(index / 4), domains.keep);
  const byte = (word >>> (8 * (index % 4))) & 255;
  const [tie] = streamBlock(key, index, domains.ties);
  return byte * 2 ** 24 + (tie >>> 8) < threshold ? 1 : 0;
}

/** The probability in units of 2^-32; 0 and 2^32 mean never and always. */
export function keepThreshold(keepProbability: number): number {
  if (!(keepProbability >= 0 && keepProbability <= 1))
    throw new RangeError(`A probability lies in [0, 1]; this is ${keepProbability}.`);
  return Math.round(keepProbability * 2 ** 32);
}

/**
 * Element `index` of the normal distribution (Box and Muller 1958), as float32. With the block's words
 * w: radius sqrt(-2 ln u), u = (w + 1/2) / 2^32; angle 2π w' / 2^32. Computed in float64 by addition,
 * multiplication, division and square root alone, so every machine gives the same bits; the result
 * is within 1e-9 of the exact value, relatively, before it is rounded to float32. |z| < 6.77.
 */
export function normalReference(key: StreamKey, index: number, mean = 0, deviation = 1): number {
  const pair = index - (index % 2);
  const radius = Math.sqrt(logUnit(wordReference(key, pair, domains.normal)) * -2) * deviation;
  const [first, second] = cosineAndSine(wordReference(key, pair + 1, domains.normal));
  return Math.fround(radius * (index % 2 === 0 ? first : second) + mean);
}

/** ln((word + 1/2) / 2^32): with v = m 2^k and s = (m - 1) / (m + 1), ln m = 2 s (1 + s²/3 + s⁴/5 + …). */
export function logUnit(word: number): number {
  let m = word + 0.5;
  let k = 0;
  for (; m >= Math.SQRT2; k++) m /= 2;
  for (; m < Math.SQRT1_2; k--) m *= 2;
  const s = (m - 1) / (m + 1);
  const z = s * s;
  const p = horner([1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1], z);
  return (k - 32) * Math.LN2 + (s + s) * p;
}

/** Cosine and sine of word / 2^32 turns, by Taylor's series about the nearest quarter turn. */
export function cosineAndSine(word: number): readonly [number, number] {
  const quarter = ((word + 2 ** 29) >>> 0) >>> 30;
  const a = ((word - (quarter << 30)) | 0) * ((2 * Math.PI) / 2 ** 32);
  const z = a * a;
  const odd = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1];
  const even = [1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -0.5, 1];
  const sine = horner(odd, z) * a;
  const cosine = horner(even, z);
  switch (quarter) {
    case 0:
      return [cosine, sine];
    case 1:
      return [-sine, cosine];
    case 2:
      return [-cosine, -sine];
    default:
      return [sine, -cosine];
  }
}

/** A polynomial, highest coefficient first. */
function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient);
}
