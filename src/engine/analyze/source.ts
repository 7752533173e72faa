/** @file What the analysis asks for: matrix pairs handed over one at a time, and a place where base SVDs are kept. */
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import type { DType } from "../../shared/dtypes.ts";

/** scale · B A with B [out, r] and A [r, in]. */
export interface Factors {
  readonly B: Matrix<Data>;
  readonly A: Matrix<Data>;
  readonly scale: number;
}

/**
 * How the tuned matrix W comes from the base W₀ [out, in].
 * `factors`: W = diag(rowScale) (W₀ + Σ scale B A) diag(columnScale); LoRA has no scales, DoRA a
 * rowScale of magnitude over norm, IA³ scales alone. `dense`: W = W₀ + delta. `tuned`: W as it was
 * stored, so that ΔW = W − W₀ carries the rounding of its dtype.
 */
export type Update =
  | {
      readonly kind: "factors";
      readonly factors: readonly Factors[];
      /** [out] */
      readonly rowScale?: Data;
      /** [in] */
      readonly columnScale?: Data;
    }
  | { readonly kind: "dense"; readonly delta: Matrix<Data> }
  | { readonly kind: "tuned"; readonly W: Matrix<Data> };

/** A matrix that was trained, before it is read. Orientation is [out, in]: whoever stores it otherwise (GPT-2's Conv1D) turns it round. */
export interface MatrixPair {
  /** The base's tensor, or a part of it: `model.layers.0.self_attn.q_proj.weight`, `h.0.attn.c_attn.weight[q]`. */
  readonly name: string;
  readonly out: number;
  readonly in: number;
  /** For the heat map of layer × module; `other` and undefined where no name map knows it. */
  readonly module: string;
  readonly layer: number | undefined;
  /** What the files store: thresholds and rounding floors hang on it. */
  readonly baseDtype: DType;
  readonly tunedDtype: DType;
  /** Of the values, dtype and orientation of W₀; the key of the cache. */
  readonly baseHash: string;
  readonly tunedHash: string;
  /** Reads it. The analysis keeps nothing of it afterwards; NaN and infinities are refused by name. */
  load(): Promise<LoadedPair>;
  /** Other pairs that controls look at. */
  readonly references?: References;
}

export interface References {
  /** The base as it was stored beside what quantization made of it, with the hash of the stored one. */
  readonly quantization?: { readonly baseHash: string; readonly loaded: LoadedPair } | undefined;
  /** A full fine-tuning of the same base. */
  readonly full?: (() => Promise<LoadedPair>) | undefined;
}

export interface LoadedPair {
  readonly base: Matrix<Data>;
  /** undefined for a look at one model alone. */
  readonly update?: Update;
}

/** The leading part of a thin SVD in float64; `count` = min(out, in) for a full one. */
export interface KeptSvd {
  /** Descending, [count]. */
  readonly sigma: Float64Array;
  /** Left vectors as rows: [count, out], so that cosines are one product. */
  readonly left: Matrix;
  /** sqrt(‖A v − σ u‖² + ‖Aᵀ u − σ v‖²), [count]; zeros for the SVD of LAPACK's quality. */
  readonly residuals: Float64Array;
  /** All singular values, where they are known: gaps and clusters are then certain. */
  readonly values: Float64Array | undefined;
}

/**
 * Base SVDs by content hash. `top` and `full` are entries of their own; a reader that finds one
 * damaged says so to the user and returns undefined, and the analysis makes it anew.
 */
export interface SvdCache {
  read(baseHash: string, kind: "top" | "full"): Promise<KeptSvd | undefined>;
  write(baseHash: string, kind: "top" | "full", svd: KeptSvd): Promise<void>;
}

/** Told between matrices, and now and then within one. */
export interface Progress {
  /** Matrices that are done, and all. */
  readonly done: number;
  readonly total: number;
  readonly name: string;
  /** Work done and in all, in multiply-adds: time left is what the past rate makes of the rest. */
  readonly work: number;
  readonly totalWork: number;
}
