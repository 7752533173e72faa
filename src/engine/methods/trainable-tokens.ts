/**
 * @file Trainable tokens: single rows of the table of words, such as those of tokens that were added to it.
 *
 * Mangrulkar, Gugger, Debut, Belkada, Paul, Bossan, "PEFT: State-of-the-art Parameter-Efficient Fine-Tuning methods",
 * https://github.com/huggingface/peft (TRAINABLE_TOKENS); no paper describes it.
 *
 *   E'[token_indices] = rows, all other rows of E stay; so do those of a head that is tied to E
 *
 *   rows [tokens, hidden]      trained, start as the table's
 *   original [tokens, hidden]  frozen: the table's rows, to which a lookup and a tied head add rows − original
 */
import { int, list } from "../../shared/schema.ts";
import { sub } from "../core/ops.ts";
import { defineRowsMethod } from "./rows.ts";

export const trainableTokens = defineRowsMethod({
  name: "trainable_tokens",
  title: "Trainable tokens",
  doc: "Trains the rows of chosen tokens in the table of words, and in a head that is tied to it.",
  equation: "E'[token_indices] = rows",
  use: "Choose it for words that were added to the vocabulary, beside another method.",
  paperTitle: "PEFT: State-of-the-art Parameter-Efficient Fine-Tuning methods",
  paper: "https://github.com/huggingface/peft",
  config: {
    token_indices: list(int({ min: 0, doc: "A token's id." }), {
      minLength: 1,
      maxLength: 4096,
      single: true,
      doc: "Ids of the tokens whose rows train.",
      aliases: ["trainable_token_indices"],
    }),
  },
  indices: ({ token_indices: indices }) => indices,
  params({ width }, { token_indices: indices }) {
    const shape = [new Set(indices).size, width];
    return {
      rows: { shape, init: "zeros", key: "rows" },
      original: { shape, init: "zeros", trains: false, key: "original" },
    };
  },
  start:
    ({ token_indices: indices }) =>
    async ({ wordRows }) => {
      const rows = await wordRows(Int32Array.from(new Set(indices)));
      return new Map([
        ["rows", rows],
        ["original", rows.slice()],
      ]);
    },
  change: (g, read) => sub(g, read("rows"), read("original")),
  peft: {
    type: "TRAINABLE_TOKENS",
    fields: ({ token_indices: indices }) => ({
      token_indices: [...new Set(indices)],
      init_weights: true,
    }),
  },
  axes: { P: "rows of the table of words", E: "adapter of peft" },
});
