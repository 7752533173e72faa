/** @file What quantizers read: a matrix, what calibration found of its inputs, and the layer that it belongs to. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../kernels/linalg/matrix.ts";
import type { FourBitEncoder } from "./blocks/four-bit.ts";
import type { FactorOptions, HessianFactor } from "./blocks/hessian-solver.ts";

/**
 * What a quantizer reads beside the weights: of its inputs, sums by `columns`, a sample of rows (`inputs`) or all
 * second `moments`; of the loss, the mean `gradient` or the squared ones (`fisher`); or a whole `block`.
 */
export type QuantizerNeed = "columns" | "inputs" | "moments" | "gradient" | "fisher" | "block";

export interface MatrixShape {
  /** Outputs. */
  readonly rows: number;
  /** Inputs. */
  readonly columns: number;
}

/** The weight W [rows, columns] of a linear site. */
export interface SiteMatrix extends MatrixShape {
  /** In the whole model: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  /** In its layer: `q_proj`. */
  readonly kind: string;
  /** Finite; not to be changed. */
  readonly data: Float32Array;
}

/** Each input x_j over the calibration set [columns]. */
export interface InputColumns {
  readonly rows: number;
  /** max |x_j|, min x_j, max x_j. */
  readonly absmax: Float32Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Σ x_j², Σ |x_j|. */
  readonly squares: Float64Array;
  readonly magnitudes: Float64Array;
}

/** Σ xᵀx [columns, columns], symmetric. */
export interface InputMoments {
  readonly rows: number;
  readonly sequences: number;
  readonly matrix: Matrix;
}

/** Whether of inputs times their tokens' weights. */
export type FactorChoice = FactorOptions & { readonly weighted?: boolean };

/**
 * Tokens weighted by how much attention their sequence pays to them, summed over heads: from `least` for the least
 * of a sequence to `most`, to the `power` in the moments.
 */
export interface TokenWeights {
  readonly least: number;
  readonly most: number;
  readonly power: number;
}

/** Some of the inputs, evenly taken [rows, columns]. */
export interface InputSample {
  readonly rows: number;
  readonly data: Float32Array;
}

/** What is known of one matrix. Inputs are those that it reads with all layers before its own quantized. Asking for what `needs` does not name is a mistake. */
export interface QuantizeContext {
  readonly linalg: Linalg;
  /** Stores values as bitsandbytes does. */
  readonly fourBit: FourBitEncoder;
  columns(): Promise<InputColumns>;
  inputs(): Promise<InputSample>;
  moments(): Promise<InputMoments>;
  /** `factorHessian` of the moments, made once for matrices that read the same. */
  factor(options: FactorChoice): Promise<HessianFactor>;
  /** Mean gradient of the loss by W [rows, columns]. */
  gradient(): Promise<Float32Array>;
  /** Σ over the sequences of the squared gradient [rows, columns]. */
  fisher(): Promise<Float32Array>;
  /** Numbers in [0, 1) that the seed, the module and `stream` decide. */
  random(stream: string): () => number;
}

/** What feeds linear sites, so that factors on its outputs can be moved into them: a norm, or rows of another linear site. */
export interface Chain {
  /** Within the layer: `input_layernorm`. */
  readonly name: string;
  readonly producer:
    | { readonly kind: "norm"; readonly name: string }
    | {
        readonly kind: "linear";
        readonly module: string;
        /** Its first row that feeds the consumers, where it makes more than that. */
        readonly first: number;
      };
  /** Modules that read it, all of them. */
  readonly consumers: readonly string[];
  /** Channels between them. */
  readonly width: number;
  /** Whether {@link LayerContext.shift} can be used: producer and consumers have biases. */
  readonly shifts: boolean;
}

/** One layer before its matrices are quantized. */
export interface LayerContext {
  readonly linalg: Linalg;
  /** In the order in which the layer reads them; `data` is what they are now. */
  matrices(): readonly SiteMatrix[];
  readonly chains: readonly Chain[];
  /** Tells whoever waits how much of the look at the layer is done, 0 to 1. */
  looked(share: number): void;
  /** What is known of one matrix as the layer is now. */
  of(module: string): QuantizeContext;
  /** Divides the producer's channels by `by` [width] and multiplies the consumers' inputs: the float function stays. */
  scale(chain: Chain, by: Float32Array): void;
  /** Takes `by` [width] off the producer's channels and gives W · by to the consumers' biases: the float function stays. */
  shift(chain: Chain, by: Float32Array): void;
  /**
   * Mean squared difference of the layer's output from the float one, with some weights replaced; or that of the
   * attention's or MLP's that holds them (`part`), from what it gives on the same inputs with its own weights.
   */
  error(replaced: ReadonlyMap<string, Float32Array>, of?: "layer" | "part"): Promise<number>;
  /** The same with its gradients by the replaced weights. */
  gradients(replaced: ReadonlyMap<string, Float32Array>): Promise<LayerGradients>;
}

export interface LayerGradients {
  readonly error: number;
  /** By module, each of its weight's shape. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}
