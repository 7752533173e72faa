/** @file The look for intruder dimensions, and the JSON that machines get of it. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import type { IntruderOptions } from "../analyze/finding.ts";
import { intruderDefaults } from "../analyze/finding.ts";
import { intruders } from "../analyze/intruders.ts";
import { controlCounts } from "../analyze/control-counts.ts";
import { countTable, totalOf } from "../analyze/counts.ts";
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import { cosinesTensor } from "../../shared/intruder-records.ts";
import type { Look } from "./look.ts";
import type { NamedArray } from "./side-arrays.ts";
import { isRecordWith } from "./look.ts";

/** `draws` random controls of each kind are counted beside; 0 leaves all controls out. */
export function lookForIntruders(
  options: Partial<IntruderOptions>,
  draws = 0,
): Look<MatrixIntrudersRecord> {
  const all = { ...intruderDefaults, ...options };
  return {
    kind: "intruders",
    options: { ...all, ...(draws === 0 ? {} : { draws }) },
    async make({ tools, cache, now }, pair) {
      const ctx = { tools, cache, now };
      const arrays: NamedArray[] = [];
      const onCosines = ({ rows, columns, data }: Matrix): void => {
        const values = new Float32Array(data);
        arrays.push({ name: cosinesTensor(pair.name), shape: [rows, columns], values });
      };
      const own = await intruders({ ...ctx, onCosines }, pair, all);
      const controls = draws === 0 ? undefined : await controlCounts(ctx, pair, all, draws);
      const record = { ...own, cosines: arrays[0]?.shape, controls };
      return { record, arrays };
    },
    arrays: ({ name, cosines }) => (cosines === undefined ? [] : [cosinesTensor(name)]),
    is: isRecordWith<MatrixIntrudersRecord>("vectors", "count", "epsilon"),
    work: ({ out, in: width }) => out * width * (all.exact ? Math.min(out, width) : 1),
    summary: (records) => ({ total: totalOf(records), counts: countTable(records) }),
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
