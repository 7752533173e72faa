/** @file The look for intruder dimensions, and the JSON that machines get of it. */
import type { IntruderOptions } from "../analyze/finding.ts";
import { intruderDefaults } from "../analyze/finding.ts";
import { intruders } from "../analyze/intruders.ts";
import { totalOf } from "../analyze/counts.ts";
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
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
