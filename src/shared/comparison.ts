/** @file What `spectune compare` says of runs: groups with their figures, differences, and what is not comparable. */
import type { Finding } from "./findings.ts";
import type { Json } from "./schema.ts";

/** A metric of a group; the interval is over `seeds` of several runs, or over the test `examples` of one. */
export interface ComparedMetric {
  readonly mean: number;
  /** How many runs it is of. */
  readonly runs: number;
  readonly deviation?: number;
  readonly interval?: {
    readonly low: number;
    readonly high: number;
    readonly over: "seeds" | "examples";
  };
}

/** A metric's difference to the first group. */
export interface ComparedDifference {
  readonly mean: number;
  /** The seeds that both groups have; the runs of each are a pair. */
  readonly seeds: readonly number[];
  readonly interval?: {
    readonly low: number;
    readonly high: number;
    readonly over: "seeds" | "examples";
  };
  /** Of the paired t test over seeds. */
  readonly pValue?: number;
}

export interface ComparedGroup {
  readonly label: string;
  readonly runs: readonly {
    readonly id: string;
    readonly folder: string;
    readonly seed: number;
    readonly state: string;
  }[];
  readonly metrics: Readonly<Record<string, ComparedMetric>>;
  /** To the first group; empty for it. */
  readonly differences: Readonly<Record<string, ComparedDifference>>;
  /** Means over the runs that count; absent where not known. */
  readonly trainableParameters?: number;
  readonly tokens?: number;
  readonly steps?: number;
  readonly tuningRuns?: number;
  readonly peakMemoryBytes?: number;
  readonly seconds?: number;
}

export interface Comparison {
  readonly confidence: number;
  readonly groups: readonly ComparedGroup[];
  /** Fields of the experiment that differ, with one value for each group. */
  readonly config: readonly ConfigDifference[];
  readonly findings: readonly Finding[];
}

/** A field in which the groups differ; `null` and absent values are told apart. */
export interface ConfigDifference {
  readonly field: string;
  /** One for each group; absent where the group's method or task has no such field. */
  readonly values: readonly (Json | undefined)[];
}
