/** @file Pearson's and Spearman's correlation of predicted and true numbers. */
import { at } from "../../shared/errors.ts";
import { metrics } from "../../shared/experiment/fields/metrics.ts";
import { mean } from "../../shared/sums.ts";
import type { Predicted } from "./define.ts";
import { defineMetric } from "./define.ts";

/** Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²); NaN where one side is constant. */
export const pearson = defineMetric({
  fields: metrics.pearson.fields,
  needs: "label",
  value: (examples) =>
    correlation(
      examples.map(({ prediction }) => prediction),
      examples.map(({ truth }) => truth),
    ),
  refuses: unlessNumbers,
});

/** Pearson's correlation of the ranks; equal values share the mean of their ranks. */
export const spearman = defineMetric({
  fields: metrics.spearman.fields,
  needs: "label",
  value: (examples) =>
    rankCorrelation(
      examples.map(({ prediction }) => prediction),
      examples.map(({ truth }) => truth),
    ),
  refuses: unlessNumbers,
});

/** Spearman's correlation of two lists of one length. */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  return correlation(ranks(x), ranks(y));
}

function unlessNumbers(predicted: Predicted): string | undefined {
  return "number" in predicted ? undefined : "it is of predicted numbers";
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [centred(x), centred(y)];
  const [lengthA, lengthB] = [Math.sqrt(dot(a, a)), Math.sqrt(dot(b, b))];
  if (!(lengthA > 0) || !(lengthB > 0)) return NaN;
  return Math.max(-1, Math.min(1, dot(a, b) / lengthA / lengthB));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * at(b, index), 0);
}

function centred(values: readonly number[]): readonly number[] {
  const middle = mean(values);
  return values.map((value) => value - middle);
}

function ranks(values: readonly number[]): readonly number[] {
  // A NaN has no place in an order.
  if (values.some(Number.isNaN)) return values.map(() => NaN);
  const order = values.map((_, index) => index).toSorted((i, j) => at(values, i) - at(values, j));
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    const value = at(values, at(order, start));
    while (end < order.length && at(values, at(order, end)) === value) end += 1;
    for (let place = start; place < end; place += 1)
      result[at(order, place)] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}
