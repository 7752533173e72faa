/** @file What each point of a sweep will take, and the whole sweep, before anything is run. */
import { withAbsolutePaths } from "../engine/session/absolute-paths.ts";
import type { PreparedRun, PrepareHost } from "../engine/session/prepare-run.ts";
import { prepareRun, rateNow } from "../engine/session/prepare-run.ts";
import { UserError, invariant } from "../shared/errors.ts";
import type { ExpandedSweep } from "../shared/experiment/sweep.ts";
import type { PlanNumbers } from "../shared/protocol.ts";
import { bytes, count, duration, percent, table } from "./format.ts";
import { isFolder } from "../engine/weights/on-disk.ts";

export interface PlannedPoint {
  readonly label: string;
  /** Runs of the point: its seeds, and what tuning tries. */
  readonly runs: number;
  readonly plan: PlanNumbers;
}

export interface PlannedSweep {
  readonly points: readonly PlannedPoint[];
  /** Of the first point. */
  readonly first: PreparedRun;
}

/** Plans the points one after the other; what cannot be planned is a {@link UserError} that names the point. */
export async function planPoints(
  { points, runs }: ExpandedSweep,
  folder: string,
  { emit, ...host }: PrepareHost,
): Promise<PlannedSweep> {
  const planned: PlannedPoint[] = [];
  let first: PreparedRun | undefined;
  const told = new Set<string>();
  const rates = new Map<number, Promise<number>>();
  // Times of points compare only if the machine was as fast for each.
  const rateOf = (threads: number): Promise<number> => {
    const rate = rates.get(threads) ?? rateNow(threads);
    rates.set(threads, rate);
    return rate;
  };
  for (const [index, { label, experiment }] of points.entries()) {
    emit({
      ...({ type: "progress", phase: "loading", done: index, total: points.length } as const),
      detail: `planning ${label}`,
    });
    const prepared = await prepareRun(withAbsolutePaths(experiment, folder, isFolder), {
      ...{ ...host, rateOf },
      emit(event) {
        if (event.type !== "finding" || told.has(event.finding.message)) return;
        told.add(event.finding.message);
        const message = `${label}: ${event.finding.message}`;
        emit({ ...event, finding: { ...event.finding, message } });
      },
    }).catch((error: unknown) => {
      throw error instanceof UserError ? ofPoint(error, label) : error;
    });
    await prepared.opened.source.close();
    first ??= prepared;
    const { length } = runs.filter(({ point }) => point === index);
    planned.push({ label, runs: length, plan: prepared.plan });
  }
  invariant(first, "a sweep has points");
  return { points: planned, first };
}

/** Seconds of all runs one after the other; undefined where those of one are not known. */
export function sweepSeconds(points: readonly PlannedPoint[]): number | undefined {
  let seconds = 0;
  for (const { runs, plan } of points) {
    if (plan.estimatedSeconds === undefined) return undefined;
    seconds += runs * plan.estimatedSeconds;
  }
  return seconds;
}

export function pointsTable(points: readonly PlannedPoint[]): string {
  return table(
    [
      { title: "point" },
      ...["runs", "trainable", "share", "steps", "memory", "time of a run"].map((title) => ({
        ...{ title, right: true },
      })),
    ],
    points.map(({ label, runs, plan }) => [
      label,
      count(runs),
      count(plan.trainableParameters),
      percent(plan.trainableParameters / plan.totalParameters),
      count(plan.steps),
      bytes(plan.peakMemoryBytes),
      plan.estimatedSeconds === undefined ? "" : duration(plan.estimatedSeconds),
    ]),
  );
}

function ofPoint({ code, message, place, remedy }: UserError, label: string): UserError {
  return new UserError({
    ...{ code, message: `${label}: ${message}` },
    ...(place !== undefined && { place }),
    ...(remedy !== undefined && { remedy }),
  });
}
