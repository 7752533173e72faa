/** @file A token to train that the model's table of words does not have. */
import type { FactCheck } from "./check.ts";
import { refusedBySetup } from "./refused-by-setup.ts";

export const tokenOutsideVocabulary: FactCheck = {
  code: "token-outside-vocabulary",
  severity: "error",
  doc: "`token_indices` are rows of the model's table of words; a row that is not there cannot be trained.",
  find: (ctx) => refusedBySetup(ctx, "token-outside-vocabulary", "token_indices"),
};
