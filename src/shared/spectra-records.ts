/** @file What `spectune spectra` and `diff` write of each matrix: JSON as it stands, for panels and reports alike. */

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
  /** Of the first adapter's tensors and of the second's. */
  readonly baseHash: string;
  readonly tunedHash: string;
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
