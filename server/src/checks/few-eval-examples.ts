/** @file A share set aside that holds very few examples. */
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";

/** Below this, one example changes an accuracy by more than five percent. */
const few = 20;

export const fewEvalExamples: FactCheck = {
  code: "few-eval-examples",
  severity: "warning",
  doc: "On a handful of examples one more or less right answer decides which checkpoint is best.",
  find({ experiment: { data }, facts, resolve }) {
    if (data.eval === null) return [];
    const shared = typeof data.eval === "object";
    const file = typeof data.eval === "string" ? data.eval : data.train;
    const known = valueOf(facts.data(resolve(file)));
    if (known === undefined || !known.exact) return [];
    const share = typeof data.eval === "object" ? data.eval.share : 1;
    const count = Math.ceil(share * known.rows);
    if (count >= few || count === 0) return [];
    return [
      {
        path: shared ? "data.eval.share" : "data.eval",
        message: `Only ${count} example${count === 1 ? "" : "s"} would choose checkpoints.`,
        remedy: "Set more aside; a few hundred give a steady score.",
      },
    ];
  },
};
