/** @file What `spectune quantize --compare` writes: quantizers of one model side by side, and the error of every matrix. */

/** A figure with its 95 % interval over windows or examples. */
export interface Measured {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** One quantizer, or the float model, of which nothing but the figures at the end is there. */
export interface QuantizeRow {
  /** As it was asked for: `gptq`, `int3`. */
  readonly label: string;
  /** The catalog's name; `float` for the model as it is. */
  readonly type: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Why there are no figures. */
  readonly failed?: string;
  /** Of the matrices that were quantized, everything that is stored of them counted. */
  readonly bitsPerWeight?: number;
  readonly bytes?: number;
  /** GPTQ's, bitsandbytes' or Spectune's own. */
  readonly layout?: string;
  /** Mean over the matrices of ‖W − Ŵ‖ / ‖W‖. */
  readonly weightError?: number;
  /** Mean over the matrices of ‖X (W − Ŵ)ᵀ‖² / ‖X Wᵀ‖². */
  readonly outputError?: number;
  /** Of the last layer's output, all layers quantized: Σ (y − float y)² / Σ float y². */
  readonly finalError?: number;
  readonly seconds?: number;
  /** Of the process while it quantized. */
  readonly peakBytes?: number;
  /** On text that was not calibrated on. */
  readonly perplexity?: Measured;
  /** What `--data` was measured by. */
  readonly task?: Readonly<Record<string, Measured>>;
}

/** One matrix under all quantizers, by label. */
export interface QuantizedMatrix {
  readonly name: string;
  readonly layer: number;
  /** Its name in the layer: `q_proj`. */
  readonly kind: string;
  readonly errors: Readonly<
    Record<string, { readonly weight: number; readonly output?: number; readonly bits: number }>
  >;
}

export interface QuantizeDocument {
  readonly version: number;
  readonly kind: "quantize";
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly time: string;
  readonly model: { readonly kind: "model"; readonly path: string };
  readonly options: Readonly<Record<string, unknown>>;
  readonly rows: readonly QuantizeRow[];
  readonly matrices: readonly QuantizedMatrix[];
}

/** Raised when a reader of the old form would misread the new one; that of all analyses. */
export const quantizeVersion = 1;
