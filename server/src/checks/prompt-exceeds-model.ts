/** @file A trained prompt that takes the model's places. */
import type { FactCheck } from "./check.ts";
import { refusedBySetup } from "./refused-by-setup.ts";

export const promptExceedsModel: FactCheck = {
  code: "prompt-exceeds-model",
  severity: "error",
  doc: "Virtual tokens stand before the words of every example and take places of the model; words need some of them.",
  find: (ctx) => refusedBySetup(ctx, "prompt-exceeds-model", "num_virtual_tokens"),
};
