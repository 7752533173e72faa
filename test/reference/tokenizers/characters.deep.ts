/** @file Every code point of the planes in use, by itself in a small text, against Python's tokenizers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { loadFixture, names } from "./fixture.ts";

const blocks = [
  ...Array.from({ length: 0x34 }, (_, index) => index * 0x1000),
  0xe0000,
  0xf0000,
  0x10f000,
];

for (const name of names)
  test(`${name}: ids of every character are Python's`, () => {
    const { tokenizer, expected } = loadFixture(name);
    const wrong = blocks.filter((start, index) => {
      const ids = Array.from({ length: 0x1000 }, (_, offset) => start + offset)
        .filter((codePoint) => codePoint < 0xd800 || codePoint >= 0xe000)
        .map((codePoint) => {
          const character = String.fromCodePoint(codePoint);
          const text = `a${character}b\u0301 ${character}`;
          return tokenizer.encode(text, { addSpecialTokens: false }).ids.join(",");
        });
      const hash = createHash("sha256").update(ids.join(";")).digest("hex").slice(0, 16);
      return hash !== expected.characters[index];
    });
    assert.deepEqual(wrong, []);
  });
