/** @file The results, JSON as they stand: every number, and what proves each verdict again without Spectune. */

/** Singular values and what is read off them. Lists are descending; undefined figures carry their reason in `refused`. */
export interface SpectrumRecord {
  readonly sigma: readonly number[];
  /** How many digits of the smallest kept value hold: absolute error of each is at most this. */
  readonly sigmaError: number;
  readonly frobenius: number;
  /** ‖W‖²_F / σ₁² */
  readonly stableRank: number;
  /** exp(H(p)), p_i = σ_i / Σσ (Roy and Vetterli 2007). */
  readonly effectiveRank: number;
  /** WeightWatcher's matrix entropy: H(p) / log(rank) with p_i = σ_i² / Σσ². */
  readonly matrixEntropy: number | undefined;
  /** σ_i above max(out, in) · ulp(stored dtype) · σ₁. */
  readonly numericalRank: number;
  readonly numericalRankThreshold: number;
  readonly conditionNumber: number | undefined;
  readonly powerLaw: PowerLawRecord | Refused;
  readonly marchenkoPastur: MarchenkoPasturRecord | Refused;
}

export interface Refused {
  readonly refused: string;
}

/** A fit p(λ) ∝ λ^−alpha above xmin, λ = σ² (Clauset, Shalizi and Newman 2009; WeightWatcher's names in its docs). */
export interface PowerLawRecord {
  readonly alpha: number;
  readonly xmin: number;
  readonly nTail: number;
  /** (alpha − 1) / √nTail */
  readonly sigmaAlpha: number;
  /** Kolmogorov–Smirnov distance of the tail. */
  readonly D: number;
  /** Log-likelihood ratio of power law over log-normal on the tail, and its two-sided p; negative: log-normal fits better. */
  readonly logNormalRatio: number;
  readonly logNormalP: number;
  /** alpha · log10(λ_max) */
  readonly alphaWeighted: number;
  /** WeightWatcher's warnings, by its names. */
  readonly warning: "" | "over-trained" | "under-trained";
}

export interface MarchenkoPasturRecord {
  /** Standard deviation of an entry: the median rule, median(λ) = sigma² out μ_ratio. */
  readonly sigmaMp: number;
  readonly rule: "median" | "weightwatcher";
  /** Of λ = σ². */
  readonly lower: number;
  readonly upper: number;
  /** λ above this is a spike: the edge plus the stated Tracy–Widom (β = 1) quantile. */
  readonly spikeEdge: number;
  readonly tracyWidomLevel: number;
  readonly spikes: number;
  /** Kolmogorov–Smirnov distance of the bulk from the law. */
  readonly D: number;
  /** False where the bulk is heavy-tailed or the fit is bad: draw no overlay. */
  readonly overlay: boolean;
}

/** The figures of one matrix: base, tuned and update. */
export interface MatrixSpectraRecord {
  readonly name: string;
  readonly module: string;
  readonly layer: number | undefined;
  readonly out: number;
  readonly in: number;
  readonly baseDtype: string;
  readonly tunedDtype: string;
  readonly baseHash: string;
  readonly tunedHash: string;
  readonly base: SpectrumRecord;
  readonly tuned: SpectrumRecord | undefined;
  readonly update: UpdateRecord | undefined;
}

export interface UpdateRecord {
  /** Of ΔW; only non-zero values where it is low-rank. */
  readonly spectrum: SpectrumRecord;
  /** `exact` from factors; `difference` of stored weights, whose rounding makes it full rank. */
  readonly from: "exact" | "difference";
  /** ‖ΔW‖_F / ‖W₀‖_F */
  readonly relativeSize: number;
  /** Singular values below this are rounding of the stored dtype (its Frobenius norm spread as a random matrix); 0 for exact. */
  readonly roundingFloor: number;
  /** ‖U₀ᵀ ΔW V₀‖_F over k top vectors, in shares of ‖ΔW‖_F, for k and a random pair of subspaces. */
  readonly alignment: readonly AlignmentRecord[];
}

/** How much of ΔW lies in the top k singular directions of W₀. */
export interface AlignmentRecord {
  readonly k: number;
  /** ‖U_kᵀ ΔW V_k‖_F / ‖ΔW‖_F, and the expectation k / √(out · in) of random subspaces. */
  readonly share: number;
  readonly random: number;
}

/** ‖U_iᵀ U_j‖²_F / min(i, j) of two updates' left (and right) vectors, and principal angles. */
export interface OverlapRecord {
  readonly name: string;
  readonly left: readonly (readonly number[])[];
  readonly right: readonly (readonly number[])[];
  /** Radians, ascending, of the left and right spaces of the full ranks. */
  readonly leftAngles: readonly number[];
  readonly rightAngles: readonly number[];
  readonly norms: readonly [number, number];
  readonly ranks: readonly [number, number];
  /** ⟨ΔW₁, ΔW₂⟩ / (‖ΔW₁‖ ‖ΔW₂‖) */
  readonly cosine: number;
}

/** |Uᵀ_tuned U_base| over the first vectors: row j for tuned vector j. */
export interface SimilarityRecord {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** `svd`: neither certificate nor witness; `intruder` then comes of the exact cosine, where it was made. */
export type Verdict = "intruder" | "not" | "basis-dependent" | "svd";

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
    }
  | {
      readonly kind: "witness";
      /** Index of the base's vector (from 0), its singular value, overlap, residual and gap. */
      readonly base: number;
      readonly baseSigma: number;
      readonly overlap: number;
      readonly residual: number;
      readonly gap: number;
      /** How the gap is known: all singular values, an inertia count, or Ritz values of a random block. */
      readonly gapFrom: "values" | "inertia" | "ritz";
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
  readonly seconds: number;
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
