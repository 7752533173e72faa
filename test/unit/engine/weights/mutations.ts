/** @file Seeded mutations of a sound safetensors file, for the searches that must not crash the reader. */
import { entry, fileBytes } from "./files.ts";

export function sampleFile(): Uint8Array<ArrayBuffer> {
  const entries = [
    '"__metadata__":{"format":"pt","note":"a \\"quoted\\" text"}',
    entry("model.embed_tokens.weight", "BF16", [8, 4], 0, 64),
    entry("model.layers.0.self_attn.q_proj.weight", "F32", [4, 4], 64, 128),
    entry("empty", "F16", [0, 3], 128, 128),
    entry("scale", "F64", [], 128, 136),
    entry("codes", "U8", [3, 2], 136, 142),
  ];
  return fileBytes(`{${entries.join(",")}}   `, 142);
}

/** mulberry32 by T. Ettinger: whole numbers below `below`, the same for a seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What a hostile or unlucky writer might put somewhere in a header. */
const fragments: readonly string[] = [
  ...["0", "9", "-1", "1e9", "1.5", "9007199254740991", "9007199254740992", "1152921504606846976"],
  ...[
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    " ",
    "\n",
    "\0",
    "\u2028",
    "\\ud800",
  ],
  ...[
    '"a":{}',
    '"__metadata__":{"a":1}',
    '"dtype":"F8_E4M3"',
    '"shape":[0]',
    "[[[[[[[[",
    "{{{{{{{{",
  ],
  ...["F32", "BF16", "Q4_K", "__proto__", "constructor", "\ufeff", "ÿ"],
];

/**
 * A copy of `file` with one to four changes: for even seeds anywhere, for odd ones in the text of
 * the header alone, whose length is then made right, so that the change is looked at.
 */
export function mutate(file: Uint8Array, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const length = new DataView(file.buffer).getUint32(0, true);
  const inHeader = seed % 2 === 1;
  let bytes = [...(inHeader ? file.subarray(8, 8 + length) : file)];
  for (let changes = 1 + random(4); changes > 0; changes -= 1) bytes = change(bytes, random);
  if (!inHeader) return new Uint8Array(bytes);
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(bytes.length), true);
  return new Uint8Array([...start, ...bytes, ...file.subarray(8 + length)]);
}

function change(bytes: readonly number[], random: (below: number) => number): number[] {
  const place = random(bytes.length + 1);
  const end = Math.min(bytes.length, place + 1 + random(12));
  const fragment = [...new TextEncoder().encode(fragments[random(fragments.length)])];
  switch (random(9)) {
    case 0: // a bit
      return bytes.map((byte, index) => (index === place ? byte ^ (1 << random(8)) : byte));
    case 1: // a byte
      return bytes.map((byte, index) => (index === place ? random(256) : byte));
    case 2: // cut out
      return [...bytes.slice(0, place), ...bytes.slice(end)];
    case 3: // cut off
      return bytes.slice(0, place);
    case 4: // put in
      return [...bytes.slice(0, place), ...fragment, ...bytes.slice(place)];
    case 5: // replace
      return [...bytes.slice(0, place), ...fragment, ...bytes.slice(place + fragment.length)];
    case 6: // repeat
      return [...bytes.slice(0, end), ...bytes.slice(place)];
    case 7: // other digits in the header
      return bytes.map((byte) => (isDigit(byte) && random(12) === 0 ? 0x30 + random(10) : byte));
    default: // another length of the header
      return bytes.map((byte, index) => (index < 8 && random(4) === 0 ? random(256) : byte));
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
