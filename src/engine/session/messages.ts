/** @file What the process's main thread and the engine's worker thread say to each other. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { EventBody, PlanNumbers, DeviceChoice, RunSummary } from "../../shared/protocol.ts";
import type { Place } from "../../shared/errors.ts";

/** What the worker is started with. */
export interface WorkerStart {
  /** The experiment, as normalised, with absolute paths. */
  readonly experiment: Experiment;
  /** Folder that the experiment's paths are relative to. */
  readonly folder: string;
  /** What chat templates see as the present, in milliseconds since 1970. */
  readonly now: number;
  /** A 32-bit integer for each of {@link flagPlaces}. */
  readonly flags: SharedArrayBuffer;
}

/** Places in the shared flags, set by the main thread; read between steps, `end` before each program that runs. */
export const flagPlaces = { stop: 0, checkpoint: 1, end: 2 } as const;

export const flagBytes = 4 * Object.keys(flagPlaces).length;

export type ToWorker =
  /** Begin; from a checkpoint's folder where there is one. */
  | { readonly type: "go"; readonly runFolder: string; readonly checkpoint: string | undefined }
  /** The checkpoint may take its name. */
  | { readonly type: "approved" }
  /** Nothing more is wanted. */
  | { readonly type: "end" };

export type FromWorker =
  | { readonly type: "ready"; readonly plan: PlanNumbers; readonly device: DeviceChoice }
  | { readonly type: "event"; readonly event: EventBody }
  /** A checkpoint is written and asks to take its name. */
  | { readonly type: "approve" }
  | { readonly type: "done"; readonly summary: RunSummary }
  | { readonly type: "failed"; readonly error: SentError };

/** An error as it crosses threads. */
export interface SentError {
  readonly kind: "user" | "internal" | "cancelled";
  readonly code: string;
  readonly message: string;
  readonly place: Place | undefined;
  readonly remedy: string | undefined;
}

/** Both threads are of one program; only a wrong use of the worker's file is caught. */
export function isWorkerStart(value: unknown): value is WorkerStart {
  return typeof value === "object" && value !== null && "experiment" in value && "flags" in value;
}
