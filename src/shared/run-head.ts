/** @file What a list shows of a run: its state, how far it is, its figures, and why it ended. */
import type { Json } from "./schema.ts";
import type { Metrics, Progress } from "./protocol.ts";
import type { RunState } from "./run-state.ts";

/** A run in one look; small, and plain JSON. */
export interface RunHead {
  /** Absolute path of the run folder: what names a run. */
  readonly folder: string;
  /** The folder's name, which begins with the time. */
  readonly id: string;
  /** The experiment's name. */
  readonly name: string;
  readonly state: RunState;
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly started?: number;
  /** Of the last event. */
  readonly lastEvent?: number;
  readonly step: number;
  readonly steps?: number;
  readonly secondsLeft?: number;
  /** What it is doing besides steps. */
  readonly progress?: Progress;
  /** Of the last step. */
  readonly loss?: number;
  /** Figures of evaluations by name, the latest of each: `eval.loss`, `test.exact_match`. */
  readonly metrics: Metrics;
  readonly device?: string;
  readonly host?: string;
  readonly pid?: number;
  readonly peakMemoryBytes?: number;
  /** The experiment as it was run: each field by its path, such as `method.r`. */
  readonly config: Readonly<Record<string, Json>>;
  /** Where it ended badly. */
  readonly death?: Death;
  /** Where it is one of a sweep's. */
  readonly sweep?: SweepPlace;
  /** What there is besides the record. */
  readonly has: readonly RunProduct[];
}

/** A run's place in its sweep. */
export interface SweepPlace {
  /** The sweep's own folder: what names it. */
  readonly folder: string;
  readonly name: string;
  /** Of its point. */
  readonly label: string;
  readonly seed: number;
  /** `tune`: it only serves to choose a value. */
  readonly kind: "tune" | "main";
  /** How many the sweep has in all. */
  readonly runs: number;
}

export type RunProduct = "adapter" | "merged" | "report" | "analysis" | "checkpoints";

/** Why a run is no more. */
export interface Death {
  readonly kind: "failed" | "out-of-memory" | "killed" | "silent";
  /** One or two sentences for people. */
  readonly message: string;
  /** How to mend it. */
  readonly remedy?: string;
  /** The end of what the process printed; none where it was started elsewhere. */
  readonly lastLines: readonly string[];
}
