/** @file How tensors start from data: the weight, a calibration set's inputs, or the gradient before the first step. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { SiteShape } from "./define.ts";

/** What a start reads; all but the weight take passes over the training data before the first step. */
export type StartNeed = "weight" | "inputs" | "gradient" | "fisher";

/** Which examples of the training data a start measures on. */
export interface CalibrationChoice {
  /** The first so many of the first epoch, fewer where there are fewer. */
  readonly samples: number;
  /** Whether each example is a batch of its own; else they come in the run's micro-batches. */
  readonly single: boolean;
  /** Tokens that inputs are taken of: all but padding, or those whose next token is trained on. */
  readonly counts: "all" | "trained";
  /** Whether each batch's inputs are divided by their largest entry. */
  readonly peak?: true;
}

/** One linear site that starts. */
export interface StartSite extends SiteShape {
  /** Its name in the whole model: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
}

/** The run that a start is for. */
export interface StartRun {
  readonly steps: number;
  readonly warmupSteps: number;
  readonly learningRate: number;
}

/** Random numbers of a stream that the experiment's seed, the site and `name` decide. */
export interface StartRandom {
  uniform(into: Float32Array, low: number, high: number): void;
  normal(into: Float32Array, mean: number, deviation: number): void;
  /** 0 … count − 1 in random order. */
  permutation(count: number): Int32Array;
}

/** Sums over the inputs x [rows, in] of a site, of the calibration set's tokens. */
export interface InputStatistics {
  /** Number of rows. */
  readonly rows: number;
  readonly batches: number;
  /** Σ xᵀ x [in, in]. */
  readonly secondMoment: Float64Array;
  /** Σ x [in]. */
  readonly sum: Float64Array;
}

export interface StartContext {
  readonly linalg: Linalg;
  /** Rows of the pair's A; 0 for a method without a pair. */
  readonly rank: number;
  /** What B A is multiplied by; 1 for a method without a pair. */
  readonly scale: number;
  readonly run: StartRun;
  /** W [out, in] as the file has it, or as it is held now: quantized or less a subtracted pair, expanded. */
  weight(of: "original" | "held"): Promise<Float32Array>;
  /** Only where `needs` has `inputs`. */
  inputs(): Promise<InputStatistics>;
  /** Mean gradient of the loss by W [out, in]; only where `needs` has `gradient`. */
  gradient(): Promise<Float32Array>;
  /** Σ over the examples of the squared gradient of each one's loss by W [out, in]; only where `needs` has `fisher`. */
  fisher(): Promise<Float32Array>;
  /** What `allocate` kept for this site. */
  readonly kept: Float32Array | Int32Array | undefined;
  random(name: string): StartRandom;
  /** The values that the method's tensors have so far: drawn, or from an earlier start. */
  value(param: string): Float32Array;
}

/** scale · B A, which is taken off the held weight, so that the method starts as the model was. */
export interface Subtracted {
  /** [rank, in] */
  readonly A: Float32Array;
  /** [out, rank] */
  readonly B: Float32Array;
  readonly scale: number;
}

export interface StartResult {
  /** Values of the method's tensors, by name; the others stay as they were drawn. */
  readonly tensors: ReadonlyMap<string, Float32Array | Int32Array>;
  readonly subtract?: Subtracted;
}

/** How much of the budget a site gets, and what was found on the way. */
export interface Allocated {
  /** The rank, or the number of elements; nothing is trained at the site at 0. */
  readonly size: number;
  readonly kept: Float32Array | Int32Array;
}

/** Sizes by module, found over all sites of an entry before shapes are known. */
export type Allocate = (
  sites: readonly AllocationSite[],
) => Promise<ReadonlyMap<string, Allocated>>;

export interface Start {
  /** What `allocate` reads where there is one, else what `run` reads. */
  readonly needs: readonly StartNeed[];
  /** Where `needs` takes passes over the data. */
  readonly calibration?: CalibrationChoice;
  readonly allocate?: Allocate;
  /** The tensor whose first axis `allocate` decides. */
  readonly sized?: string;
  readonly run: (site: StartSite, ctx: StartContext) => Promise<StartResult>;
}

/** A site whose rank is not decided yet, with what a start may read of it. */
export interface AllocationSite {
  readonly site: StartSite;
  readonly ctx: StartContext;
}
