/** @file A sweep whose points train on different amounts of data. */
import type { Check } from "./check.ts";
import { axesOf } from "./swept-fields.ts";

/** Fields that decide how much is trained on. */
const budgets = ["train.num_train_epochs", "train.max_steps", "data.train", "data.max_length"];

export const sweepUnequalBudgets: Check = {
  code: "sweep-unequal-budgets",
  severity: "warning",
  doc: "Points that see more data or take more steps are better for that alone; a comparison of anything else needs equal budgets.",
  find({ sweep, train }) {
    if (sweep === null) return [];
    const axes = axesOf(sweep);
    const found = axes.filter(
      ({ field }) =>
        budgets.includes(field) || (field === "train.batch_size" && train.max_steps !== null),
    );
    // Varied alone, the budget is what is looked at.
    if (found.length === axes.length) return [];
    return found.map(({ field, path }) => ({
      path,
      message: `\`${field}\` gives the points unequal budgets, and other fields vary beside it.`,
      remedy: "Compare at one budget: `sweep.match: { tokens: equal }` refuses anything else.",
    }));
  },
};
