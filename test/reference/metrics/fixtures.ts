/** @file The form of `fixtures/*.json`, as `make.py` writes them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  isProblem,
  listOf,
  mapOf,
  object,
  parseJson,
  real,
  text,
  type Decoder,
} from "../../../src/shared/wire.ts";

export interface LabelCase {
  readonly name: string;
  readonly truth: readonly number[];
  readonly prediction: readonly number[];
  readonly accuracy: number;
  /** By average. */
  readonly f1: Readonly<Record<string, number>>;
  readonly matthews: number;
}

export interface NumberCase {
  readonly name: string;
  readonly truth: readonly number[];
  readonly prediction: readonly number[];
  readonly pearson: number;
  readonly spearman: number;
}

export interface MetricFixture {
  readonly versions: Readonly<Record<string, string>>;
  readonly labels: readonly LabelCase[];
  readonly numbers: readonly NumberCase[];
}

export interface MeanCase {
  readonly values: readonly number[];
  readonly confidence: number;
  readonly mean: number;
  readonly deviation: number;
  readonly low: number;
  readonly high: number;
}

export interface PairCase {
  readonly values: readonly number[];
  readonly reference: readonly number[];
  readonly p: number;
}

export interface StatisticsFixture {
  readonly versions: Readonly<Record<string, string>>;
  /** [p, quantile] */
  readonly normal: readonly (readonly number[])[];
  /** [p, degrees, quantile] */
  readonly student: readonly (readonly number[])[];
  /** [successes, trials, confidence, low, high] */
  readonly wilson: readonly (readonly number[])[];
  readonly means: readonly MeanCase[];
  readonly pairs: readonly PairCase[];
}

const numbers = listOf(real);

export function metricFixture(): MetricFixture {
  const labels = object<LabelCase>(
    {
      name: text,
      truth: numbers,
      prediction: numbers,
      accuracy: real,
      f1: mapOf(real),
      matthews: real,
    },
    {},
  );
  const pairs = object<NumberCase>(
    { name: text, truth: numbers, prediction: numbers, pearson: real, spearman: real },
    {},
  );
  return read(
    "metrics.json",
    object<MetricFixture>(
      { versions: mapOf(text), labels: listOf(labels), numbers: listOf(pairs) },
      {},
    ),
  );
}

export function statisticsFixture(): StatisticsFixture {
  const means = object<MeanCase>(
    { values: numbers, confidence: real, mean: real, deviation: real, low: real, high: real },
    {},
  );
  const pairs = object<PairCase>({ values: numbers, reference: numbers, p: real }, {});
  return read(
    "statistics.json",
    object<StatisticsFixture>(
      {
        versions: mapOf(text),
        normal: listOf(numbers),
        student: listOf(numbers),
        wilson: listOf(numbers),
        means: listOf(means),
        pairs: listOf(pairs),
      },
      {},
    ),
  );
}

function read<T>(name: string, decoder: Decoder<T>): T {
  const file = join(import.meta.dirname, "fixtures", name);
  const value = decoder(parseJson(readFileSync(file, "utf8")), "");
  assert.ok(!isProblem(value), isProblem(value) ? value.problem : "");
  return value;
}
