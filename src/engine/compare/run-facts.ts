/** @file What `compare` knows of a run: its configuration, what it ended with, what it took. */
import type { Json } from "../../shared/schema.ts";

export interface RunFacts {
  /** The name of its folder. */
  readonly id: string;
  readonly folder: string;
  /** As its folder tells it; only a `finished` run counts. */
  readonly state: string;
  readonly seed: number;
  /** `experiment.yaml` in the file's own terms. */
  readonly config: Readonly<Record<string, Json>>;
  /** Such as `eval.loss` and `test.accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Metrics that are shares of independent examples, by their counts. */
  readonly shares: Readonly<Record<string, Share>>;
  /** Score of each test example by its index, for metrics that are the mean of these. */
  readonly scores: Readonly<Record<string, ReadonlyMap<number, number>>>;
  readonly budget: Budget;
  readonly cost: Cost;
}

export interface Share {
  readonly successes: number;
  readonly trials: number;
}

/** What was spent: two results are comparable where this is equal. */
export interface Budget {
  readonly tokens: number;
  readonly steps: number;
  readonly trainableParameters: number | undefined;
  /** Runs that tuned this one's configuration; `undefined` where the run is of no sweep that is there. */
  readonly tuningRuns: number | undefined;
}

export interface Cost {
  readonly peakMemoryBytes: number | undefined;
  /** From the first to the last event of each attempt. */
  readonly seconds: number;
}
