/** @file Which run of a sweep is next, and what tuning chooses. Pure: the record says everything. */
import type { Sweep } from "../../shared/experiment/fields/experiment-fields.ts";
import { modeOf } from "../../shared/experiment/fill.ts";
import type { Overrides } from "../../shared/experiment/sweep.ts";
import { at } from "../../shared/errors.ts";
import type { ChosenCandidate, RunOfSweep, SweepRecord } from "./sweep-record.ts";

export type Select = NonNullable<Sweep["tune"]>["select"];

/** The first run in order that has not ended; the interrupted one is where it was. */
export function nextRun({ runs }: SweepRecord): number | undefined {
  const index = runs.findIndex(({ state }) => !hasEnded(state));
  return index < 0 ? undefined : index;
}

/** What a run changes in the document: its own overrides, and for a main run what tuning has chosen. */
export function overridesOf(
  { points }: SweepRecord,
  { kind, point, overrides }: RunOfSweep,
): Overrides {
  const chosen = kind === "main" ? at(points, point).chosen?.overrides : undefined;
  return { ...overrides, ...chosen };
}

/**
 * The record with a choice for every point whose tuning runs have ended. Where none of them has a value of
 * the metric, the point's main runs are skipped: untuned they would say nothing against tuned ones.
 */
export function withChoices(record: SweepRecord, select: Select | undefined): SweepRecord {
  if (select === undefined) return record;
  return record.points.reduce((known, point, index) => {
    const tuning = known.runs.filter((run) => run.kind === "tune" && run.point === index);
    if (
      tuning.length === 0 ||
      point.chosen !== undefined ||
      !tuning.every(({ state }) => hasEnded(state))
    )
      return known;
    const chosen = choose(known, index, select);
    return chosen === undefined
      ? withoutMainRuns(known, index, select.metric)
      : withChoice(known, index, chosen);
  }, record);
}

/** The best candidate, the first of equals; only a finished run has metrics. */
function choose(
  record: SweepRecord,
  point: number,
  { metric, mode }: Select,
): ChosenCandidate | undefined {
  const tried = record.runs.flatMap((run, index) => {
    const value = run.metrics?.[metric];
    const counts = run.kind === "tune" && run.point === point;
    return counts && value !== undefined && !Number.isNaN(value) ? [{ run, index, value }] : [];
  });
  const wanted = mode ?? modeOf(metric);
  const best = tried.reduce<(typeof tried)[number] | undefined>(
    (winner, candidate) =>
      winner === undefined ||
      (wanted === "max" ? candidate.value > winner.value : candidate.value < winner.value)
        ? candidate
        : winner,
    undefined,
  );
  if (best === undefined) return undefined;
  const own = at(record.points, point).overrides;
  const tuned = Object.entries(best.run.overrides).filter(
    ([key, value]) => JSON.stringify(own[key]) !== JSON.stringify(value),
  );
  return {
    run: best.index,
    overrides: Object.fromEntries(tuned),
    value: best.value,
    tried: tried.length,
  };
}

function withChoice(record: SweepRecord, index: number, chosen: ChosenCandidate): SweepRecord {
  return {
    ...record,
    points: record.points.map((point, each) => (each === index ? { ...point, chosen } : point)),
  };
}

function withoutMainRuns(record: SweepRecord, index: number, metric: string): SweepRecord {
  const error = {
    code: "tuning-failed",
    message: `No tuning run of this point has a value of ${metric}.`,
  };
  return {
    ...record,
    runs: record.runs.map((run) =>
      run.kind === "main" && run.point === index && run.state === "waiting"
        ? { ...run, state: "skipped", error }
        : run,
    ),
  };
}

function hasEnded(state: RunOfSweep["state"]): boolean {
  return state === "finished" || state === "failed" || state === "skipped";
}
