/** @file Token ids, offsets, pairs and decoded text against Python's tokenizers (see make.py). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { at } from "../../../src/shared/errors.ts";
import { firstDifference, loadFixture, lines, names } from "./fixture.ts";

/** Tokenizers of which every line's ids are kept. */
for (const name of names.filter((each) => each !== "roberta"))
  test(`${name}: the ids of ${lines.length} lines are Python's`, () => {
    const { tokenizer, ids } = loadFixture(name);
    const wrong = lines.flatMap((line, index) => {
      const { ids: got } = tokenizer.encode(line, { addSpecialTokens: false });
      const difference = firstDifference(got, at(ids, index));
      return difference === undefined ? [] : [`${JSON.stringify(line)}: ${difference}`];
    });
    assert.deepEqual(wrong.slice(0, 3), []);
  });

for (const name of names)
  test(`${name}: the first ids of a line are those of the whole line`, () => {
    const { tokenizer } = loadFixture(name);
    // Lines are short: together they make texts that go on long behind what is asked for.
    for (let index = 0; index < lines.length; index += 40) {
      const text = lines.slice(index, index + 5).join(index % 80 === 0 ? "" : "\n");
      const first = 1 + (index % 97);
      const { ids, offsets } = tokenizer.encode(text, { offsets: true });
      const some = tokenizer.encode(text, { offsets: true, first });
      assert.deepEqual(some.ids.slice(0, first), ids.slice(0, first), JSON.stringify(text));
      assert.deepEqual(some.offsets.slice(0, 2 * first), offsets.slice(0, 2 * first));
      const cut = tokenizer.encode(text, { maxLength: first + 2, addSpecialTokens: false });
      const whole = tokenizer.encode(text, { addSpecialTokens: false });
      assert.deepEqual(cut.ids, whole.ids.slice(0, first + 2), JSON.stringify(text));
    }
  });

for (const name of names)
  test(`${name}: special tokens, pairs, truncation, decoding, offsets`, () => {
    const { tokenizer, expected } = loadFixture(name);
    assert.equal(tokenizer.vocabSize, expected.size);
    let moved = 0;
    expected.singles.forEach((single, index) => {
      const line = at(lines, 20 * index);
      const pair = at(lines, 20 * index + 7);
      const encoded = tokenizer.encode(line, { offsets: true });
      assert.deepEqual(encoded.ids, single, JSON.stringify(line));
      const both = tokenizer.encode(line, { pair });
      assert.deepEqual([both.ids, both.typeIds], expected.pairs[index]);
      const cut = tokenizer.encode(line, { pair, maxLength: 16 });
      assert.deepEqual(cut.ids, expected.truncated[index]);
      assert.equal(tokenizer.decode(both.ids), expected.decoded[index]);
      assert.equal(tokenizer.decode(both.ids, { skipSpecialTokens: true }), expected.plain[index]);

      const { offsets } = tokenizer.encode(line, { addSpecialTokens: false, offsets: true });
      const difference = firstDifference(offsets, at(expected.offsets, index));
      if (difference === undefined) return;
      moved += 1;
      // A run of characters that a normal form joined or reordered is given whole; Python gives its first character.
      const changed = ["NFC", "NFD", "NFKC"].some((form) => line.normalize(form) !== line);
      assert.ok(changed || line.includes("\u200b"), `${JSON.stringify(line)}: ${difference}`);
    });
    const allowed: Readonly<Record<string, number>> = {
      qwen2: 70,
      "bert-uncased": 35,
      "unigram-t5": 5,
      "unigram-bytes": 65,
    };
    assert.ok(moved <= (allowed[name] ?? 0), `${moved} lines with other offsets`);
  });
