/** @file A model without a tokenizer that can be read, or with one of another model. */
import type { FactCheck } from "./check.ts";

export const tokenizerUnusable: FactCheck = {
  code: "tokenizer-unusable",
  severity: "error",
  doc: "Examples become tokens by the model's tokenizer.json; its ids must have rows in the model's table of words.",
  find({ facts, experiment, base }) {
    const known = facts.examples(experiment, base);
    if (known.state !== "absent" || !known.why.code.includes("tokenizer")) return [];
    const { message, remedy } = known.why;
    return [{ path: "model", message, ...(remedy !== undefined && { remedy }) }];
  },
};
