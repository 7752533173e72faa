/** @file SentencePiece's precompiled character map: a double-array trie from byte strings to replacements. */
import { refuse, text, type JsonValue } from "./json-value.ts";

/** What a chunk of text becomes; `undefined` where the map has no key for it. */
export type Charsmap = (chunk: string) => string | undefined;

/**
 * Reads the map out of its base64 form: the trie's size in bytes (uint32), the trie (uint32 units), then
 * the replacements, each closed by a zero byte. The result gives the replacement of the *shortest* key that
 * begins the chunk, which is what `tokenizers` takes of the keys found.
 * Format: https://github.com/google/sentencepiece (normalizer, Darts-clone double array).
 */
export function readCharsmap(value: JsonValue): Charsmap {
  const bytes = Buffer.from(text(value), "base64");
  const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : -1;
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length)
    return refuse(value, "a precompiled character map in base64");
  const units = new Uint32Array(trieBytes / 4);
  for (let index = 0; index < units.length; index += 1)
    units[index] = bytes.readUInt32LE(4 + 4 * index);
  const replacements = bytes.subarray(4 + trieBytes);
  const encoder = new TextEncoder();

  return (chunk) => {
    const found = shortestKey(units, encoder.encode(chunk));
    if (found === undefined) return undefined;
    const end = replacements.indexOf(0, found);
    return replacements.toString("utf8", found, end < 0 ? replacements.length : end);
  };
}

/** Walks the trie along `key`; the value of the first prefix of it that is stored. */
function shortestKey(units: Uint32Array, key: Uint8Array): number | undefined {
  let node = 0;
  node ^= offset(units[node] ?? 0);
  for (const byte of key) {
    if (byte === 0) return undefined;
    node ^= byte;
    const unit = units[node];
    if (unit === undefined || label(unit) !== byte) return undefined;
    node ^= offset(unit);
    if (((unit >>> 8) & 1) === 1) return (units[node] ?? 0) & 0x7fffffff;
  }
  return undefined;
}

/** A unit's label in its low byte; the top bit marks a leaf, whose label is no byte. */
function label(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}

function offset(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}
