/** @file Methods of different kinds compared at one learning rate. */
import type { Check } from "./check.ts";
import { axesOf, sweptFields } from "./swept-fields.ts";

export const sweepOneLearningRate: Check = {
  code: "sweep-one-learning-rate",
  severity: "warning",
  doc: "Each method has a learning rate of its own at which it is best; at one rate for all, the method that it suits wins.",
  find({ sweep }) {
    if (sweep === null) return [];
    const kinds = axesOf(sweep).filter(({ field }) =>
      ["method", "method.type", "train.optimizer", "train.optimizer.type"].includes(field),
    );
    const rate = "train.learning_rate";
    const tuned = Object.hasOwn(sweep.tune?.fields ?? {}, rate);
    if (tuned || sweptFields(sweep).some(({ field }) => field === rate)) return [];
    return kinds.map(({ field, path }) => ({
      path,
      message: `All values of \`${field}\` are compared at one learning rate.`,
      remedy: "Tune it for each: `tune: { train.learning_rate: { times: [0.33, 1, 3] } }`.",
    }));
  },
};
