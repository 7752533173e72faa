/** @file Text that comes token by token adds up, and never breaks a character. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { streamDecoder } from "../../../../../src/engine/data/tokenizer/stream-decoder.ts";
import { createTokenizer } from "../../../../../src/engine/data/tokenizer/tokenizer.ts";
import { byteTokenizer } from "./small.ts";

test("bytes of a character are held back until it is whole", () => {
  const tokenizer = byteTokenizer();
  const stream = streamDecoder(tokenizer, { skipSpecialTokens: true });
  const parts = tokenizer.encode("a😀</s>é").ids.map((id) => stream.push(id));
  assert.deepEqual(parts, ["a", "", "", "", "😀", "", "", "é"]);
  assert.equal(stream.flush(), "");
});

test("bytes that are no text come out at last", () => {
  const stream = streamDecoder(byteTokenizer());
  assert.equal([0x61, 0xf0, 0x9f].map((id) => stream.push(id)).join(""), "a");
  assert.equal(stream.flush(), "\ufffd");
  const endless = streamDecoder(byteTokenizer());
  const text = Array.from({ length: 9 }, () => endless.push(0xff)).join("");
  assert.ok(text.length >= 5, "held back for ever");
});

test("spaces between tokens survive, though a text's first space is dropped", () => {
  const tokenizer = createTokenizer({
    tokenizer: {
      file: "tokenizer.json",
      value: {
        model: {
          type: "Unigram",
          unk_id: 0,
          vocab: [
            ["<unk>", 0],
            ["▁a", -1],
            ["▁b", -1],
          ],
        },
        pre_tokenizer: { type: "Metaspace" },
        decoder: { type: "Metaspace" },
      },
    },
  });
  const stream = streamDecoder(tokenizer);
  assert.deepEqual(
    tokenizer.encode("a b a").ids.map((id) => stream.push(id)),
    ["a", " b", " a"],
  );
});
