/** @file What `spectune intruders` and `mitigate` write of each matrix: every number, and what proves each verdict again without Spectune. */

/**
 * `intruder` and `not` are proved. `likely`: they would be, were a gap between singular values not known from the Ritz
 * values of a random start alone (where values are too near to each other for a count to part them, or the smaller side
 * is above 12288). `svd`: neither certificate nor witness; `intruder` then comes of the exact cosine, where it was made.
 */
export type Verdict = "intruder" | "not" | "likely" | "basis-dependent" | "svd";

/** How a gap between singular values is known: all of them, an inertia count, or Ritz values of a random block, which are no proof. */
export type GapFrom = "values" | "inertia" | "ritz";

/** One left vector y of W, by falling singular value. */
export interface VectorRecord {
  readonly index: number;
  readonly sigma: number;
  /** max_i |⟨y, u₀ᵢ⟩| lies in [lower, upper]. */
  readonly lower: number;
  readonly upper: number;
  readonly by: Verdict;
  /** The count's word: certified, or by the exact cosine; undefined while undecided. */
  readonly intruder: boolean | undefined;
  /** The official number, from the vectors that one SVD happened to give; where it was made. */
  readonly official: number | undefined;
  /** Error of y itself: √2 r / gap. */
  readonly vectorError: number;
  readonly residual: number;
  readonly gap: number;
  readonly gapFrom: GapFrom;
  readonly proof: Proof;
}

/** What a reader needs to come to the verdict again. y itself follows from W, index and sigma. */
export type Proof =
  | LanczosProof
  | {
      readonly kind: "bessel";
      readonly captured: number;
      readonly count: number;
      readonly best: number;
      /** Whether every gap behind it is known for sure. */
      readonly isKnown: boolean;
    }
  | {
      readonly kind: "witness";
      /** Index of the base's vector (from 0), its singular value, overlap, residual and gap. */
      readonly base: number;
      readonly baseSigma: number;
      readonly overlap: number;
      readonly residual: number;
      readonly gap: number;
      readonly gapFrom: GapFrom;
    }
  | {
      readonly kind: "exact";
      /** Index of the base's vector with the largest cosine. */
      readonly base: number;
      readonly cosine: number;
      /** Size of the cluster it belongs to, and ‖P_σ y‖. */
      readonly multiplicity: number;
      readonly projection: number;
      readonly cached: boolean;
    }
  | { readonly kind: "none" };

/** The certificate (★): from these numbers alone the covering can be walked again. */
export interface LanczosProof {
  readonly kind: "lanczos";
  /** out ≤ in: G = W₀W₀ᵀ, s = y, h = 1; else G = W₀ᵀW₀, s = W₀ᵀy, h = √λ. */
  readonly gram: "left" | "right";
  /** Of s without its part in the deflated vectors. */
  readonly startNorm: number;
  readonly deflated: readonly {
    readonly theta: number;
    readonly residual: number;
    readonly overlap: number;
  }[];
  readonly alpha: readonly number[];
  /** As many as alpha; the last couples to the vector after the last. */
  readonly beta: readonly number[];
  readonly rho: number;
  readonly eta: number;
  readonly lambdaMin: number;
  readonly lambdaMax: number;
  /** Ends of the closed intervals, ascending: interval i is [edges[i], edges[i + 1]]. */
  readonly edges: readonly number[];
}

export interface MatrixIntrudersRecord {
  readonly name: string;
  readonly module: string;
  readonly layer: number | undefined;
  readonly out: number;
  readonly in: number;
  readonly baseHash: string;
  readonly tunedHash: string;
  readonly baseDtype: string;
  readonly reference: "base" | "official-fp16";
  readonly epsilon: number;
  readonly k: number;
  readonly stage: "verdicts" | "exact";
  /** Vectors certainly intruders, and those not decided (drawn as a band). */
  readonly count: number;
  readonly undecided: number;
  readonly basisDependent: number;
  /** Σ σ_j² of intruders over Σ_{j ≤ k} σ_j². */
  readonly energy: number;
  readonly vectors: readonly VectorRecord[];
  /** Base directions below its numerical rank: arbitrary in every SVD, left out. */
  readonly leftOut: number;
  /** Median max|cos| of a random unit vector of this size. */
  readonly noiseFloor: number;
  /**
   * [rows, columns] of |Uᵀ_tuned U_base| under {@link cosinesTensor} in the safetensors file beside the document: a row
   * is the profile of one vector. Undefined where the vectors of the base were not needed.
   */
  readonly cosines?: readonly [rows: number, columns: number] | undefined;
  /** What the count is compared with; undefined where no controls were asked for. */
  readonly controls?: readonly ControlRecord[] | undefined;
  readonly seconds: number;
}

/** The tensor of a document's neighbour that holds a matrix's cosines. */
export function cosinesTensor(name: string): string {
  return `cosines/${name}`;
}

/**
 * Counts of a control at the same ε and k. `random`: an update with ΔW's own singular values and random directions;
 * `rotated`: ΔW with its left directions turned at random; `full`: a full fine-tuning's ΔW scaled to the same ‖ΔW‖_F;
 * `quantization`: the base as it was held, with nothing trained.
 */
export interface ControlRecord {
  readonly kind: ControlKind;
  /** One for each draw; `full` and `quantization` have one. */
  readonly draws: readonly { readonly count: number; readonly undecided: number }[];
}

export const controlKinds = ["random", "rotated", "full", "quantization"] as const;

export type ControlKind = (typeof controlKinds)[number];

/** Counts of all matrices over a grid: rows are ε, columns k, a number of vectors or a share of min(out, in). */
export interface CountTable {
  readonly epsilons: readonly number[];
  readonly ks: readonly (number | { readonly share: number })[];
  /** Intruders for sure, and those that may be. */
  readonly certain: readonly (readonly number[])[];
  readonly possible: readonly (readonly number[])[];
  /** How many vectors each column looks at. */
  readonly vectors: readonly number[];
}

/** What a mitigation did to one matrix. */
export interface MitigationRecord {
  readonly name: string;
  readonly keep: number;
  readonly which: "top" | "all";
  readonly control: boolean;
  /** Indices of the scaled vectors of W; for a control its neighbours. */
  readonly indices: readonly number[];
  readonly sigmas: readonly number[];
  readonly rankBefore: number | undefined;
  readonly rankAfter: number | undefined;
  /** ‖ΔW' − ΔW‖_F / ‖ΔW‖_F, and what compression lost of ‖ΔW'‖_F. */
  readonly change: number;
  readonly compressionLoss: number | undefined;
}

/** Both ends belong to it. */
export interface IntervalRecord {
  readonly low: number;
  readonly high: number;
}

/** A metric before a mitigation, after it and for its control; differences to before over the same examples, where each has its own value. */
export interface MeasuredRow {
  readonly on: "task" | "general text";
  readonly metric: string;
  readonly n: number;
  readonly before: number;
  readonly after: number;
  readonly control: number;
  /** 95 %, by a bootstrap over examples: one model, n = 1 seed. */
  readonly afterDifference: IntervalRecord | undefined;
  readonly controlDifference: IntervalRecord | undefined;
}
