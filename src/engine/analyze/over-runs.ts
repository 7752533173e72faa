/** @file Intruders over the runs of a sweep: one row for each configuration, over the matrices that all runs have. */
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import { sum } from "../../shared/sums.ts";
import type { MeanOfSeeds } from "../statistics/over-seeds.ts";
import { meanOfSeeds } from "../statistics/over-seeds.ts";

export interface CountedRun {
  readonly label: string;
  readonly seed: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly records: readonly MatrixIntrudersRecord[];
}

export interface CountedGroup {
  readonly label: string;
  readonly seeds: readonly number[];
  readonly intruders: MeanOfSeeds;
  readonly undecided: MeanOfSeeds;
  /** Mean over matrices of the share of energy that lies in intruders. */
  readonly energy: MeanOfSeeds;
  /** Metrics that every run of the group has. */
  readonly metrics: Readonly<Record<string, MeanOfSeeds>>;
}

export interface RunComparison {
  /** Names of the matrices that every run has: the counts are of these alone. */
  readonly matrices: readonly string[];
  readonly groups: readonly CountedGroup[];
}

/** Groups in the order of their first runs. The unit of replication is the seed. */
export function overRuns(runs: readonly CountedRun[], confidence: number): RunComparison {
  const [first, ...others] = runs.map(({ records }) => new Set(records.map(({ name }) => name)));
  const common = [...(first ?? [])].filter((name) => others.every((names) => names.has(name)));
  const isCommon = new Set(common);
  const groups = Map.groupBy(runs, ({ label }) => label);
  return {
    matrices: common,
    groups: [...groups].map(([label, its]) => {
      const over = (value: (records: readonly MatrixIntrudersRecord[]) => number): MeanOfSeeds =>
        meanOfSeeds(
          its.map(({ records }) => value(records.filter(({ name }) => isCommon.has(name)))),
          confidence,
        );
      const names = [...new Set(its.flatMap(({ metrics }) => Object.keys(metrics)))].filter(
        (name) => its.every(({ metrics }) => metrics[name] !== undefined),
      );
      return {
        label,
        seeds: its.map(({ seed }) => seed),
        intruders: over((records) => sum(records.map(({ count }) => count))),
        undecided: over((records) => sum(records.map(({ undecided }) => undecided))),
        energy: over(
          (records) => sum(records.map(({ energy }) => energy)) / Math.max(1, records.length),
        ),
        metrics: Object.fromEntries(
          names.map((name) => [
            name,
            meanOfSeeds(
              its.map(({ metrics }) => metrics[name] ?? NaN),
              confidence,
            ),
          ]),
        ),
      };
    }),
  };
}
