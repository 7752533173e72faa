/** @file What runs one experiment for a sweep or the queue; the engine provides it. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { PointNumbers } from "./match.ts";

export interface RunTask {
  readonly experiment: Experiment;
  /** Folder that the experiment's paths are relative to. */
  readonly folder: string;
  /** Goes into the run folder's name. */
  readonly name: string;
  /** What the run is, for people: `r=4 seed=1`. */
  readonly label: string;
  /** Where the run folder is made. */
  readonly spectuneFolder: string;
  /** The run folder to go on with, if any. */
  readonly resume: string | undefined;
  /** To be called as soon as there is a run folder. */
  readonly onFolder: (runFolder: string) => void;
  /** Aborting stops the run after the current step, with a checkpoint. */
  readonly signal: AbortSignal;
}

export interface RunOutcome {
  readonly status: "finished" | "stopped";
  /** The last measurements, such as `eval.loss` and `test.accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Runner {
  /** Tells of the whole sweep in `report.html`; never fails. */
  readonly report?: (sweepFolder: string) => Promise<void>;
  /** Runs to the end or until stopped; throws where it fails. */
  readonly run: (task: RunTask) => Promise<RunOutcome>;
  /** The outcome of a run that finished by itself, by its folder; `undefined` for any other. */
  readonly finished: (runFolder: string) => Promise<RunOutcome | undefined>;
  /** The plan of an experiment, before anything is written. */
  readonly plan: (experiment: Experiment, folder: string) => Promise<PointNumbers>;
}
