/** @file `model` and `task`: what is tuned, and for what. */
import { object, oneOf, text } from "../../schema.ts";

export const modelField = object(
  {
    id: text({
      form: "model",
      doc: "A Hugging Face model folder, or a hub id that is in the local cache. Nothing is fetched from the network.",
      aliases: [
        "base_model",
        "model_name_or_path",
        "base_model_name_or_path",
        "pretrained_model_name_or_path",
        "model_name",
      ],
    }),
    revision: text({
      default: null,
      doc: "Branch, tag or commit of a hub id; by default the cache's `main`. The snapshot's hash is recorded.",
      aliases: ["model_revision", "revision_of_model"],
    }),
  },
  {
    short: "id",
    doc: "The model to tune: a folder, or a hub id in the local cache.",
    aliases: ["base_model", "model_name_or_path", "base_model_name_or_path", "model_name"],
  },
);

export const taskField = oneOf(
  {
    "causal-lm": "Predict the next token.",
    "sequence-classification": "Predict a label, or a number, for a text or a pair of texts.",
  },
  { default: "causal-lm", doc: "What the model learns to do." },
);
