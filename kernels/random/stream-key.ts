/** @file Keys of random streams: one for each seed, purpose, step and site, so that no draw depends on the order of others. */
import { philox, type Block, type StreamKey } from "./philox.ts";

/**
 * The key of the stream named by `seed` and `parts`, e.g. `streamKey(seed, "dropout", step, site)`.
 * Stable: it is part of what a seed means. Each part enters with its kind and length, so different
 * lists never read the same; the chain is Philox as a compression function with feed-forward.
 * RangeError for numbers that are no safe integers.
 */
export function streamKey(seed: number, ...parts: readonly (string | number)[]): StreamKey {
  const words = [seed, ...parts].flatMap(encode);
  let key: StreamKey = [0, 0];
  for (let i = 0; i < words.length; i += 4) {
    const word = (j: number) => words[i + j] ?? 0;
    const block: Block = [word(0), word(1), word(2), word(3)];
    const [a, b, c, d] = philox(block, key);
    key = [(a ^ c ^ key[0]) >>> 0, (b ^ d ^ key[1]) >>> 0];
  }
  return key;
}

/** A part as uint32: kind and length, then a number's two halves or a string's UTF-16 units in pairs. */
function encode(part: string | number): readonly number[] {
  if (typeof part === "number") {
    if (!Number.isSafeInteger(part))
      throw new RangeError(`A stream is named by whole numbers, not ${part}.`);
    return [0x10000000, part >>> 0, Math.floor(part / 2 ** 32) >>> 0];
  }
  const units = Array.from({ length: Math.ceil(part.length / 2) }, (_, i) => {
    const second = 2 * i + 1 < part.length ? part.charCodeAt(2 * i + 1) : 0;
    return (part.charCodeAt(2 * i) | (second << 16)) >>> 0;
  });
  return [(0x20000000 | part.length) >>> 0, ...units];
}
