/** @file Examples shown token by token. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { viewTokens } from "../../../../src/engine/data/token-view.ts";
import { build, loaded } from "./examples/settings.ts";
import { byteTokenizer, wordTokenizer } from "./tokenizer/small.ts";

test("text, id and whether it is trained on; parts of characters as the vocabulary spells them", async () => {
  const tokenizer = byteTokenizer();
  const { examples } = await build([
    { prompt: "the ", completion: "é" },
    { text: "", prompt: "a", completion: "b" },
  ]);
  const [first, ...rest] = viewTokens(examples, tokenizer, { count: 1 });
  assert.equal(rest.length, 0);
  assert.deepEqual(first, {
    row: 0,
    label: undefined,
    tokens: [
      { id: 256, text: "th", trained: false },
      { id: 101, text: "e", trained: false },
      { id: 32, text: " ", trained: false },
      { id: 0xc3, text: "Ã", trained: true },
      { id: 0xa9, text: "é", trained: true },
      { id: 258, text: "</s>", trained: true },
    ],
  });
});

test("the first token of a text follows none, so it is not trained on", async () => {
  const { examples } = await build([{ text: "ab" }]);
  const [view] = viewTokens(examples, byteTokenizer(), { count: 1 });
  assert.deepEqual(
    view?.tokens.map((token) => token.trained),
    [false, true, true],
  );
});

test("labels by their names", async () => {
  const tokenizer = loaded(wordTokenizer(["a"]));
  const { examples, target } = await build(
    [
      { text: "a", label: "yes" },
      { text: "a", label: "no" },
    ],
    {},
    { task: "sequence-classification", tokenizer },
  );
  const views = viewTokens(examples, tokenizer, { count: 5, target });
  assert.deepEqual(
    views.map((view) => view.label),
    ["yes", "no"],
  );
  assert.ok(views.every((view) => view.tokens.every((token) => !token.trained)));
});
