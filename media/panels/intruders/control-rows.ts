/** @file The counts of an analysis and of its controls, summed over its matrices. */
import type { IntrudersDocument } from "../../../src/shared/analysis-documents.ts";
import { controlTotal } from "../../../src/shared/control-counts.ts";
import type { ControlKind } from "../../../src/shared/intruder-records.ts";
import { controlKinds } from "../../../src/shared/intruder-records.ts";

export interface ControlRow {
  readonly kind: ControlKind | "trained";
  readonly count: number;
  readonly open: number;
  readonly draws: number;
}

/** What was trained and its controls at the thresholds of the analysis; none where no controls were counted. */
export function controlRows({
  matrices,
}: Pick<IntrudersDocument, "matrices">): readonly ControlRow[] {
  const rows = controlKinds.flatMap((kind): readonly ControlRow[] => {
    const total = controlTotal(matrices, kind);
    return total === undefined
      ? []
      : [{ kind, count: total.mean, open: total.open, draws: total.draws }];
  });
  if (rows.length === 0) return [];
  const sum = (value: (matrix: (typeof matrices)[number]) => number): number =>
    matrices.reduce((total, matrix) => total + value(matrix), 0);
  const trained = {
    kind: "trained",
    count: sum(({ count }) => count),
    open: sum(({ undecided }) => undecided),
    draws: 1,
  } as const;
  return [trained, ...rows];
}
