/** @file Finds the places of what an adapter puts before the words: rows of virtual tokens, or their keys and values. */
import { promptPrefix, promptTensor } from "../exports/prompt-adapter.ts";
import type { Json, Placing, Refusal } from "./placing.ts";
import { plainChoice } from "./placing.ts";
import type { PlacedTensor } from "./place-adapter.ts";
import { placedWith } from "./placed-tensors.ts";

const mostTokens = 100_000;

/** Each layer's keys and values are columns of one tensor of the file. */
export function promptPlacing(
  type: "prompt_tuning" | "prefix_tuning",
): (json: Json) => Placing | Refusal {
  return ({ num_virtual_tokens: count, num_transformer_submodules: parts = 1 }) => {
    if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > mostTokens)
      return { field: "num_virtual_tokens", why: `it must be a whole number up to ${mostTokens}` };
    if (parts !== 1 && parts !== null)
      return { field: "num_transformer_submodules", why: "models of one part are known here" };
    return (names, model) => {
      const { hidden, keyValueHeads, headDim } = model.sizes;
      const width = keyValueHeads * headDim;
      const layers = model.blocks.filter(({ kind }) => kind === "layer");
      const all = type === "prompt_tuning" ? hidden : 2 * width * layers.length;
      const whole = { name: promptTensor, shape: [count, all] };
      const own: readonly PlacedTensor[] =
        type === "prompt_tuning"
          ? [{ ...whole, parameter: "embedding.tokens#prompt" }]
          : layers.flatMap(({ id }, index) =>
              ["keys", "values"].map((param, part) => ({
                ...whole,
                parameter: `${id}.prefix#${param}`,
                columns: { from: (2 * index + part) * width, count: width },
              })),
            );
      const fields =
        type === "prompt_tuning"
          ? { prompt_tuning_init: "random", prompt_tuning_init_text: "" }
          : { prefix_projection: false, encoder_hidden_size: 128 };
      const choice = plainChoice(type, { num_virtual_tokens: count, ...fields });
      return placedWith(choice, own, promptPrefix, names, model);
    };
  };
}
