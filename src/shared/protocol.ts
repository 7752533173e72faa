/** @file What a run says (events) and what it obeys (requests): one JSON object a line, versioned. */
import type { Finding } from "./findings.ts";

/** Raised when a reader of the old form would misread the new one; added fields do not raise it. */
export const protocolVersion = 1;

/** Names of metrics and their values, e.g. `{ loss: 2.31, perplexity: 10.1 }`. */
export type Metrics = Readonly<Record<string, number>>;

export type Phase =
  "loading" | "decomposing" | "compiling" | "calibrating" | "training" | "evaluating" | "exporting";

export type Split = "train" | "eval" | "test" | "general";

/** How a run ended by itself; what a run that was killed is called is for its folder to say. */
export type Outcome = "finished" | "stopped" | "failed";

/** Where the experiment runs and how that was chosen. */
export interface DeviceChoice {
  /** The word of the experiment file, e.g. `auto`. */
  readonly requested: string;
  readonly chosen: string;
  /** One sentence for people. */
  readonly reason: string;
  readonly threads?: number;
}

/** What was known before the first step. */
export interface PlanNumbers {
  readonly trainableParameters: number;
  readonly totalParameters: number;
  readonly peakMemoryBytes: number;
  readonly steps: number;
  readonly estimatedSeconds?: number;
}

/** The first event of each attempt. */
export interface Started {
  /** The name of the run folder. */
  readonly run: string;
  /** The step of the checkpoint that this attempt goes on from; absent where it begins anew. */
  readonly resumedFrom?: number;
  readonly host: string;
  readonly pid: number;
  /** E.g. `linux-x64`. */
  readonly platform: string;
  /** Versions of spectune, node and onnxruntime. */
  readonly versions: Readonly<Record<string, string>>;
  readonly device: DeviceChoice;
  readonly plan: PlanNumbers;
  /** When the first attempt began, in milliseconds since 1970: what chat templates see as the present. */
  readonly begun?: number;
  /** SHA-256 of the files that the run is made from, by the field that names them. */
  readonly inputs?: Readonly<Record<string, string>>;
}

/** One phase's state; `total` is absent where it is not known. */
export interface Progress {
  readonly phase: Phase;
  readonly done: number;
  readonly total?: number;
  readonly detail?: string;
}

/** One optimizer step; steps count from 1. */
export interface Step {
  readonly step: number;
  /** Epochs seen after this step, as a fraction. */
  readonly epoch: number;
  /** Mean over the step's targets: of the data alone. */
  readonly loss: number;
  readonly lr: number;
  /** Norm before clipping. */
  readonly gradNorm?: number;
  /** Tokens of this step, padding left out. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly seconds: number;
  /** Resident memory of the process. */
  readonly memoryBytes: number;
  /** `penalty`: what methods add to the loss for the gradient, such as AdaLoRA's orthogonality or MixLoRA's balance. */
  readonly metrics?: Metrics;
}

/** Metrics over a whole split. */
export interface Evaluation {
  readonly split: Split;
  readonly moment: "before" | "during" | "after";
  readonly step: number;
  readonly epoch: number;
  readonly metrics: Metrics;
  readonly examples: number;
  readonly seconds: number;
  /** Per-example results, relative to the run folder. */
  readonly results?: string;
}

/** A checkpoint is complete on the disk. */
export interface CheckpointSaved {
  readonly step: number;
  /** Relative to the run folder, with forward slashes. */
  readonly folder: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly reason: "schedule" | "request" | "stop" | "end";
  /** Whether it is the best so far by the experiment's `eval.best`. */
  readonly best?: boolean;
}

/** A remark on the experiment, the data or the run. */
export interface FindingRaised {
  readonly finding: Finding;
}

/** A look into the weights that `analyze` asked for. */
export interface Analyzed {
  readonly kind: "spectra" | "intruders";
  readonly step: number;
  readonly epoch: number;
  /** The analysis file, relative to the run folder, with forward slashes. */
  readonly file: string;
  /** Sums or means over the matrices, such as `{ intruders: 12, matrices: 35 }`. */
  readonly metrics: Metrics;
  readonly seconds: number;
}

/** A line for people. */
export interface Log {
  readonly level: "debug" | "info" | "warning" | "error";
  readonly message: string;
}

/** A generated text. */
export interface Sample {
  readonly step: number;
  readonly prompt: string;
  readonly completion: string;
  readonly expected?: string;
}

/** Scores of one evaluation as machines get them; `score` is the task's own metric. */
export interface Scores {
  readonly loss: number;
  readonly perplexity?: number;
  readonly score?: number;
}

/** The whole run in one object. */
export interface RunSummary {
  readonly status: Outcome;
  readonly steps: number;
  /** Absent where no step was done. */
  readonly trainLoss?: number;
  readonly evalBefore?: Scores;
  readonly evalAfter?: Scores;
  readonly trainableParameters: number;
  readonly peakMemoryBytes: number;
  readonly tokensPerSecond: number;
}

/** The last line of `run --json`. */
export interface RunResult extends RunSummary {
  readonly runDir: string;
}

/** The last event of an attempt that ended by itself. */
export interface Ended {
  readonly summary: RunSummary;
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly remedy?: string };
}

/** What each type of event carries besides {@link EventStamp}. */
export interface EventBodies {
  readonly started: Started;
  readonly progress: Progress;
  readonly step: Step;
  readonly eval: Evaluation;
  readonly checkpoint: CheckpointSaved;
  readonly finding: FindingRaised;
  readonly log: Log;
  readonly sample: Sample;
  readonly analysis: Analyzed;
  readonly ended: Ended;
}

export type EventType = keyof EventBodies;

/** Who wrote the event and when. */
export interface EventStamp {
  /** Counts from 1; a resumed run repeats steps under a higher number, and readers take that. */
  readonly attempt: number;
  /** Milliseconds since 1970 by the clock of the machine that ran it. */
  readonly time: number;
}

/** An event as the training loop makes it, before it is stamped. */
export type EventBody = {
  readonly [T in EventType]: { readonly type: T } & EventBodies[T];
}[EventType];

/** One line of `events.ndjson`. */
export type RunEvent = {
  readonly [T in EventType]: EventStamp & { readonly type: T } & EventBodies[T];
}[EventType];

/** `stop` ends the run after the current step, with a checkpoint; `checkpoint` saves one and goes on. */
export const requestTypes = ["stop", "checkpoint"] as const;

export type RequestType = (typeof requestTypes)[number];

/** One line on the engine's standard input, or one file in the run folder. */
export interface RunRequest {
  readonly type: RequestType;
  /** The attempt that is meant, so that a request cannot hit a later one; absent on standard input. */
  readonly attempt?: number;
}
