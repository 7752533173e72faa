/** @file The labels that the training data have. */
import { valueOf } from "../facts.ts";
import type { CheckContext } from "./check.ts";

/** Distinct labels of classification data, sorted; `undefined` where they are not known, or are numbers. */
export function labelsOfData({
  experiment,
  facts,
  resolve,
}: CheckContext): readonly string[] | undefined {
  const { task, data } = experiment;
  if (task !== "sequence-classification" || data.problem_type === "regression") return undefined;
  const values = valueOf(facts.data(resolve(data.train)))?.values.get(data.columns.label);
  const fractions = values?.some((value) => /^-?\d+\.\d+$/.test(value)) === true;
  return fractions && data.problem_type === "auto" ? undefined : values;
}
