/**
 * @file Prompt tuning: rows of virtual tokens before the words.
 *
 * Lester, Al-Rfou, Constant, "The Power of Scale for Parameter-Efficient Prompt Tuning", 2021,
 * https://arxiv.org/abs/2104.08691.
 *
 *   [P; E(x)] in place of E(x): the model reads num_virtual_tokens rows before those of the words
 *
 *   prompt [num_virtual_tokens, hidden]  trained; normal with deviation 1 as peft starts it, or rows of E: of words
 *                                        drawn at random (the paper draws from the 5,000 most common), or of a text
 *
 * Positions count on through the virtual tokens. As in peft, a classifier reads the first row, which is a virtual
 * token's.
 */
import { int, oneOf, text } from "../../shared/schema.ts";
import { at } from "../../shared/errors.ts";
import type { PlaceStart } from "./place.ts";
import { defineTokensMethod } from "./tokens.ts";

export const promptTuning = defineTokensMethod({
  name: "prompt_tuning",
  title: "Prompt tuning",
  doc: "Trains the rows of a few virtual tokens that stand before the words of every input; the model itself stays as it is.",
  equation: "h₀ = [P; E(x)], P the trained rows before the words E(x)",
  use: "Choose it for large models and many tasks on one of them: the weights stay untouched.",
  paperTitle: "The Power of Scale for Parameter-Efficient Prompt Tuning",
  paper: "https://arxiv.org/abs/2104.08691",
  config: {
    num_virtual_tokens: int({
      default: 20,
      min: 1,
      max: 100_000,
      doc: "How many virtual tokens stand before the words; each takes a place of the model's length.",
    }),
    prompt_tuning_init: oneOf(
      {
        random: "Normal numbers with deviation 1, as peft draws them.",
        sample_vocab: "Rows of words drawn from the vocabulary.",
        text: "The rows of the words of `prompt_tuning_init_text`, again and again until there are enough.",
      },
      { default: "random", doc: "How the virtual tokens start." },
    ),
    prompt_tuning_init_text: text({
      default: "",
      doc: "The text whose words start the virtual tokens, for `prompt_tuning_init: text`.",
    }),
  },
  count: ({ num_virtual_tokens: count }) => count,
  params: ({ width }, { num_virtual_tokens: count }) => ({
    prompt: { shape: [count, width], init: { normal: 1 } },
  }),
  rows: (_g, read) => read("prompt"),
  start: ({ prompt_tuning_init: init, prompt_tuning_init_text: words }) =>
    init === "random" ? undefined : fromWords(init === "text" ? words : undefined),
  changesAtStart:
    "the virtual tokens stand before the words from the first step on, and are attended to",
  staysApart: "virtual tokens are an input of the model and stand in none of its weights",
  peft: {
    type: "PROMPT_TUNING",
    fields: ({ num_virtual_tokens: count }) => ({
      num_virtual_tokens: count,
      prompt_tuning_init: "RANDOM",
      prompt_tuning_init_text: null,
      tokenizer_kwargs: null,
      tokenizer_name_or_path: null,
    }),
  },
  axes: { P: "prompt tokens", E: "adapter of peft" },
});

/** The rows of a text's words over and over, or of words drawn from the vocabulary where there is no text. */
function fromWords(words: string | undefined): PlaceStart {
  return async ({ sizes, random, wordRows, tokenize }, params) => {
    const [count = 0] = params.get("prompt")?.shape ?? [];
    const ids = words === undefined ? Int32Array.of() : await tokenize(words);
    const drawn = random("words").permutation(sizes.vocabulary);
    const source = ids.length > 0 ? ids : drawn;
    const chosen = Int32Array.from({ length: count }, (_, i) => at(source, i % source.length));
    return new Map([["prompt", await wordRows(chosen)]]);
  };
}
