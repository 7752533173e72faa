/** @file A step of more examples than there are. */
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";

export const batchAboveData: FactCheck = {
  code: "batch-above-data",
  severity: "warning",
  doc: "A step that asks for more examples than the data have is a whole epoch: there is one step for each, and nothing random about it.",
  find(ctx) {
    const { data, train } = ctx.experiment;
    const facts = valueOf(ctx.facts.data(ctx.resolve(data.train)));
    if (facts === undefined || !facts.exact || facts.rows >= train.batch_size) return [];
    return [
      {
        path: "train.batch_size",
        message: `\`batch_size\` is ${train.batch_size}, and the training data have ${facts.rows} examples.`,
        remedy: "Use a smaller batch, or more data.",
        fixes: writing(
          ctx,
          ["train", "batch_size"],
          String(Math.max(1, Math.floor(facts.rows / 8))),
        ),
      },
    ];
  },
};
