/** @file How tensors start from data: the weight, a calibration set's inputs, or the gradient before the first step. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { SiteShape } from "./define.ts";

/** What a start reads; inputs and gradients take passes over the training data before the first step. */
export type StartNeed = "weight" | "inputs" | "gradient";

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

export interface Start {
  readonly needs: readonly StartNeed[];
  /** Ranks by module, found over all sites before shapes are known (EVA); others keep theirs. */
  readonly allocate?: (sites: readonly AllocationSite[]) => Promise<ReadonlyMap<string, number>>;
  readonly run: (site: StartSite, ctx: StartContext) => Promise<StartResult>;
}

/** A site whose rank is not decided yet, with what a start may read of it. */
export interface AllocationSite {
  readonly site: StartSite;
  readonly ctx: StartContext;
}
