/** @file Texts far longer than anything is kept of: merged in parts, and no further than somebody asks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { philox4x32 } from "../../../../../src/engine/data/batches/philox.ts";
import { createTokenizer } from "../../../../../src/engine/data/tokenizer/tokenizer.ts";
import { at, invariant } from "../../../../../src/shared/errors.ts";
import { byteTokenizer, withBeginning, wordTokenizer } from "./small.ts";

type Draw = (below: number) => number;

function draws(seed: number): Draw {
  let count = 0;
  return (below) => philox4x32([count++, 0, 0, 0], [seed, 7])[0] % below;
}

const letters = ["a", "b", "c", "d", "é", "😀"];

interface Rules {
  readonly vocabulary: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
  readonly fuse: boolean;
}

/** Merges of the letters and of what they merge to, few enough that most pairs of letters never meet. */
function rulesOf(draw: Draw): Rules {
  const vocabulary = ["?", ...letters];
  const merges: (readonly [string, string])[] = [];
  for (let count = 0; count < 12; count += 1) {
    const [left, right] = [0, 0].map(() => at(vocabulary, 1 + draw(vocabulary.length - 1)));
    invariant(left !== undefined && right !== undefined, "two tokens");
    if (vocabulary.includes(left + right)) continue;
    vocabulary.push(left + right);
    merges.push([left, right]);
  }
  return { vocabulary, merges, fuse: draw(2) === 1 };
}

/** Byte-pair encoding as it is defined: the pair of the lowest rank, leftmost, again and again. */
function definition(text: string, { vocabulary, merges, fuse }: Rules): readonly number[] {
  const symbols: string[] = [];
  for (const character of text) {
    const known = vocabulary.includes(character);
    if (known || !fuse || symbols.at(-1) !== "?") symbols.push(known ? character : "?");
  }
  for (;;) {
    const ranks = symbols
      .slice(1)
      .map((right, index) => merges.findIndex(([a, b]) => a === symbols[index] && b === right));
    const possible = ranks.filter((rank) => rank >= 0);
    if (possible.length === 0) return symbols.map((symbol) => vocabulary.indexOf(symbol));
    const place = ranks.indexOf(Math.min(...possible));
    symbols.splice(place, 2, at(symbols, place) + at(symbols, place + 1));
  }
}

test("a long piece is merged as byte-pair encoding is defined, whatever merges there are", () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const draw = draws(seed);
    const rules = rulesOf(draw);
    const { vocabulary, merges, fuse } = rules;
    const vocab = Object.fromEntries(vocabulary.map((token, id) => [token, id]));
    const model = { type: "BPE", vocab, merges, unk_token: "?", fuse_unk: fuse };
    const tokenizer = createTokenizer({ tokenizer: { file: "tokenizer.json", value: { model } } });
    const characters = [...letters, ...letters, "x"];
    const text = Array.from({ length: 120 }, () => at(characters, draw(characters.length))).join(
      "",
    );
    const wanted = definition(text, rules);
    const whole = tokenizer.encode(text, { offsets: true });
    assert.deepEqual(whole.ids, wanted, `seed ${seed}`);
    const covered = wanted.map((_, index) =>
      text.slice(at(whole.offsets, 2 * index), at(whole.offsets, 2 * index + 1)),
    );
    assert.equal(covered.join(""), text, `seed ${seed}`);
    const first = 1 + draw(20);
    const some = tokenizer.encode(text, { offsets: true, first });
    assert.deepEqual(some.ids.slice(0, first), wanted.slice(0, first), `seed ${seed}`);
    assert.deepEqual(some.offsets.slice(0, 2 * first), whole.offsets.slice(0, 2 * first));
  }
});

test("the first ids are those of the whole text, and little more is looked at", () => {
  const text = "the other <|user|>! ".repeat(100);
  for (const tokenizer of [byteTokenizer(), byteTokenizer({ post_processor: withBeginning })])
    for (const first of [1, 2, 7, 50]) {
      const whole = tokenizer.encode(text, { offsets: true });
      const some = tokenizer.encode(text, { offsets: true, first });
      assert.deepEqual(some.ids.slice(0, first), whole.ids.slice(0, first));
      assert.deepEqual(some.offsets.slice(0, 2 * first), whole.offsets.slice(0, 2 * first));
      assert.ok(some.ids.length < first + 8, `${some.ids.length} for ${first}`);
      const cut = tokenizer.encode(text, { maxLength: first });
      assert.deepEqual(cut.ids, whole.ids.slice(0, first));
    }
  const words = wordTokenizer(["a", "b", "c"]);
  const [long, short] = ["a b c ".repeat(50), "b c"];
  assert.equal(words.encode(long, { first: 5 }).ids.length, 7);
  assert.deepEqual(words.encode(long, { maxLength: 6 }).ids, [2, 4, 5, 6, 4, 3]);
  // Of a pair, what is cut depends on the lengths of both.
  assert.deepEqual(words.encode(long, { pair: long, maxLength: 8 }).ids, [2, 4, 5, 3, 4, 5, 6, 3]);
  assert.deepEqual(words.encode(short, { pair: long, maxLength: 8 }).ids, [2, 5, 6, 3, 4, 5, 6, 3]);
});
