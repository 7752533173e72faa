/** @file A length that cuts, or drops, many of the examples. */
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";

export const examplesCut: FactCheck = {
  code: "examples-cut",
  severity: "warning",
  doc: "An example that is cut loses its end, which for a prompt with a completion is the completion.",
  find({ experiment, facts, base, model }) {
    const counts = valueOf(facts.examples(experiment, base))?.counts;
    if (counts === undefined || counts.tooLong * 20 < counts.rows || counts.tooLong === 0)
      return [];
    const share = Math.round((100 * counts.tooLong) / counts.rows);
    const dropped = experiment.data.too_long === "drop";
    const asked = experiment.data.max_length;
    const most = Math.min(asked, valueOf(model)?.maxLength ?? asked);
    return [
      {
        path: "data.max_length",
        message: `${share} % of the examples are longer than ${most} tokens${most < asked ? ", which is all that the model reads," : ""} and ${dropped ? "left out" : "cut"}.`,
        remedy: `${most < asked ? "Shorten them" : "Raise `max_length`"}, or see in \`spectune plan\` what is lost.`,
      },
    ];
  },
};
