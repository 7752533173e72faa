/** @file What is known of a sweep while it runs and after: its points, its runs in order, and how each ended. */
import type { ExpandedSweep, Overrides } from "../../shared/experiment/sweep.ts";
import type { Json } from "../../shared/schema.ts";
import type { Decoder } from "../../shared/wire.ts";
import {
  count,
  flag,
  isProblem,
  json,
  listOf,
  mapOf,
  object,
  oneOf,
  parseJson,
  real,
  text,
} from "../../shared/wire.ts";

/** Raised when a reader of the old form would misread the new one. */
const recordVersion = 1;

/** `skipped`: it could not be run, because nothing came of its point's tuning. */
export type SweepRunState = "waiting" | "running" | "finished" | "stopped" | "failed" | "skipped";

export interface SweepFailure {
  readonly code: string;
  readonly message: string;
}

/** One run, in the words of the experiment file. */
export interface RunOfSweep {
  readonly kind: "tune" | "main";
  /** Index into the points. */
  readonly point: number;
  readonly label: string;
  readonly seed: number;
  /** What the point and its candidate change; for a main run without what tuning chooses. */
  readonly overrides: Overrides;
  readonly state: SweepRunState;
  /** The name of its run folder, once there is one. */
  readonly run?: string;
  /** Of a finished run, such as `eval.loss`. */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly error?: SweepFailure;
}

/** What the tuning of a point came to. */
export interface ChosenCandidate {
  /** Index into the runs. */
  readonly run: number;
  /** The tuned fields with their values. */
  readonly overrides: Overrides;
  readonly value: number;
  /** How many candidates gave a value: the tuning effort. */
  readonly tried: number;
}

export interface PointOfSweep {
  readonly label: string;
  readonly overrides: Overrides;
  readonly control: boolean;
  readonly chosen?: ChosenCandidate;
}

export interface SweepRecord {
  readonly version: number;
  readonly name: string;
  /** Folder that the document's paths are relative to. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly points: readonly PointOfSweep[];
  /** In order of execution. */
  readonly runs: readonly RunOfSweep[];
}

export interface SweepIdentity {
  readonly name: string;
  readonly folder: string;
  readonly created: number;
}

/** The record before the first run. */
export function newRecord(
  { name, folder, created }: SweepIdentity,
  { points, runs }: ExpandedSweep,
): SweepRecord {
  return {
    version: recordVersion,
    name,
    folder,
    created,
    points: points.map(({ label, overrides, control }) => ({ label, overrides, control })),
    runs: runs.map((run) => ({ ...run, state: "waiting" })),
  };
}

/** The record with one run changed. */
export function withRun(
  record: SweepRecord,
  index: number,
  change: Partial<RunOfSweep>,
): SweepRecord {
  return {
    ...record,
    runs: record.runs.map((run, each) => (each === index ? { ...run, ...change } : run)),
  };
}

/** A run of the record, begun anew: what an earlier try left is gone. */
export function reset({ kind, point, label, seed, overrides }: RunOfSweep): RunOfSweep {
  return { kind, point, label, seed, overrides, state: "waiting" };
}

export function encodeRecord(record: SweepRecord): string {
  const words = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(record, words, 1)}\n`;
}

/** The record of a file's text, or what is wrong with it. */
export function decodeRecord(written: string): SweepRecord | { readonly problem: string } {
  const decoded = record(parseJson(written), "");
  if (isProblem(decoded)) return { problem: decoded.problem };
  if (decoded.version > recordVersion)
    return { problem: `it has version ${decoded.version}, of a later Spectune` };
  const misled = decoded.runs.find(({ point }) => point >= decoded.points.length);
  return misled === undefined
    ? decoded
    : { problem: `the run ${misled.label} is of a point that is not there` };
}

const overrides: Decoder<Overrides> = mapOf<Json>(json);
const run = object<RunOfSweep>(
  {
    kind: oneOf("tune", "main"),
    point: count,
    label: text,
    seed: count,
    overrides,
    state: oneOf("waiting", "running", "finished", "stopped", "failed", "skipped"),
  },
  {
    run: text,
    metrics: mapOf(real),
    error: object<SweepFailure>({ code: text, message: text }, {}),
  },
);
const point = object<PointOfSweep>(
  { label: text, overrides, control: flag },
  { chosen: object<ChosenCandidate>({ run: count, overrides, value: real, tried: count }, {}) },
);
const record = object<SweepRecord>(
  {
    version: count,
    name: text,
    folder: text,
    created: real,
    points: listOf(point),
    runs: listOf(run),
  },
  {},
);
