/** @file The counts of controls over all matrices of an analysis. */
import type { ControlKind, MatrixIntrudersRecord } from "./intruder-records.ts";

export interface ControlTotal {
  /** Of all matrices, the mean over the draws. */
  readonly mean: number;
  /** Undecided ones. */
  readonly open: number;
  readonly draws: number;
}

/** Count of a control over all matrices that have it; undefined where none has. */
export function controlTotal(
  records: readonly Pick<MatrixIntrudersRecord, "controls">[],
  kind: ControlKind,
): ControlTotal | undefined {
  const own = records.flatMap(({ controls = [] }) => controls.filter((one) => one.kind === kind));
  const draws = Math.max(0, ...own.map((one) => one.draws.length));
  if (draws === 0) return undefined;
  const mean = (value: (draw: (typeof own)[number]["draws"][number]) => number): number =>
    own.reduce(
      (sum, one) =>
        sum + one.draws.reduce((total, draw) => total + value(draw), 0) / one.draws.length,
      0,
    );
  return { mean: mean(({ count }) => count), open: mean(({ undecided }) => undecided), draws };
}
