/** @file A learning rate that is orders of magnitude away from what the method is trained with. */
import { numberText } from "../describe.ts";
import type { Check } from "./check.ts";

/** Far outside of what papers report with Adam; adapters take about ten times full fine-tuning's rate. */
const usual = {
  base: { least: 1e-7, most: 2e-3, typical: "1.0e-5 to 5.0e-5" },
  adapter: { least: 1e-6, most: 2e-2, typical: "1.0e-4 to 5.0e-4" },
} as const;

export const learningRateFarOff: Check = {
  code: "learning-rate-far-off",
  severity: "warning",
  doc: "Far above its usual range training diverges, far below nothing is learned. Adapters are trained with about ten times the rate of full fine-tuning.",
  find({ method, train: { learning_rate: rate, optimizer } }, { methodRow }) {
    // Plain SGD's rates are a matter of the gradient's scale.
    if (!optimizer.type.startsWith("adam")) return [];
    const [first] = method;
    const changesBase = method.some(({ type }) => methodRow(type)?.trainsBase === true);
    const { least, most, typical } = changesBase ? usual.base : usual.adapter;
    if (rate >= least && rate <= most) return [];
    return [
      {
        path: "train.learning_rate",
        message: `The learning rate ${numberText(rate)} is far ${rate > most ? "above" : "below"} what \`${first?.type ?? "the method"}\` is trained with.`,
        remedy: `Usual are ${typical}.`,
      },
    ];
  },
};
