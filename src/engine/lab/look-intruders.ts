/** @file The look for intruder dimensions, and the JSON that machines get of it. */
import type { IntruderOptions } from "../analyze/finding.ts";
import { intruderDefaults } from "../analyze/finding.ts";
import { intruders } from "../analyze/intruders.ts";
import type { MatrixIntrudersRecord, VectorRecord } from "../analyze/records.ts";
import type { Look } from "./look.ts";
import { isRecordWith } from "./look.ts";

export function lookForIntruders(options: Partial<IntruderOptions>): Look<MatrixIntrudersRecord> {
  const all = { ...intruderDefaults, ...options };
  return {
    kind: "intruders",
    options: { ...all },
    make: ({ linalg, cache, now }, pair) => intruders({ tools: { linalg }, cache, now }, pair, all),
    is: isRecordWith<MatrixIntrudersRecord>("vectors", "count", "epsilon"),
    work: ({ out, in: width }) => out * width * (all.exact ? Math.min(out, width) : 1),
    summary: (records) => ({ total: totalOf(records) }),
  };
}

export function totalOf(records: readonly MatrixIntrudersRecord[]): number {
  return records.reduce((sum, { count }) => sum + count, 0);
}

/** What `spectune intruders --json` prints. */
export interface IntrudersJson {
  readonly total: number;
  readonly matrices: readonly {
    readonly name: string;
    readonly count: number;
    readonly vectors: readonly {
      readonly index: number;
      readonly sigma: number;
      readonly lower: number;
      readonly upper: number;
      /** null while undecided. */
      readonly intruder: boolean | null;
      readonly by: string;
    }[];
  }[];
}

export function intrudersJson(records: readonly MatrixIntrudersRecord[]): IntrudersJson {
  return {
    total: totalOf(records),
    matrices: records.map(({ name, count, vectors }) => ({
      name,
      count,
      vectors: vectors.map(({ index, sigma, lower, upper, intruder, by }) => ({
        index,
        sigma,
        lower,
        upper,
        intruder: intruder ?? null,
        by,
      })),
    })),
  };
}

/** Counts of a grid of ε and k from what is known of each vector: intervals that hold ε count by their exact cosine alone. */
export function countGrid(
  records: readonly MatrixIntrudersRecord[],
  epsilons: readonly number[],
  ks: readonly number[],
): {
  readonly certain: readonly (readonly number[])[];
  readonly possible: readonly (readonly number[])[];
} {
  const vectorsUpTo = (k: number): readonly VectorRecord[] =>
    records.flatMap(({ vectors }) => vectors.filter(({ index }) => index < k));
  const counted = (is: (vector: VectorRecord, epsilon: number) => boolean) =>
    epsilons.map((epsilon) =>
      ks.map((k) => vectorsUpTo(k).filter((vector) => is(vector, epsilon)).length),
    );
  return {
    certain: counted(({ upper }, epsilon) => upper < epsilon),
    possible: counted(({ lower }, epsilon) => lower < epsilon),
  };
}
