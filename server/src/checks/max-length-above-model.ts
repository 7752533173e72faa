/** @file A length that the model's positions do not reach. */
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";

export const maxLengthAboveModel: FactCheck = {
  code: "max-length-above-model",
  severity: "warning",
  doc: "A model reads as many tokens as it has positions; longer examples are cut there, whatever `max_length` says.",
  find(ctx) {
    const most = valueOf(ctx.model)?.maxLength;
    const { max_length: length, too_long: tooLong } = ctx.experiment.data;
    const said = nodeAt(ctx.document, ["data", "max_length"]) !== undefined;
    // The default is as long as the model allows.
    if (most === undefined || length <= most || !said) return [];
    return [
      {
        path: "data.max_length",
        message: `The model reads at most ${most} tokens, and \`max_length\` is ${length}${tooLong === "error" ? ": the run would refuse it" : ""}.`,
        remedy: `Set it to at most ${most}.`,
        fixes: writing(ctx, ["data", "max_length"], String(most)),
      },
    ];
  },
};
