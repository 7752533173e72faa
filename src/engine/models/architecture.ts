/** @file What an architecture states: its blocks, their tensors under their checkpoint names, and how each block computes. */
import type { Shape } from "../../shared/dtypes.ts";
import type { Finding } from "../../shared/findings.ts";
import type { Graph, Value } from "../core/graph.ts";

export type TensorRole = "linear" | "embedding" | "norm" | "bias";

/** How a tensor starts that the checkpoint lacks: a normal distribution's standard deviation, or zeros. */
export type FreshStart = "zeros" | { readonly normal: number };

/** One tensor of a block. */
export interface TensorSpec {
  /** Name within the block, equal for all layers: `self_attn.q_proj.weight`. */
  readonly name: string;
  /** Name in the checkpoint: `model.layers.3.self_attn.q_proj.weight`. Tied tensors share it. */
  readonly source: string;
  /** The checkpoint's tensor that it starts as, where that is another: of a tied head that was untied. */
  readonly stored?: string;
  /** Shape in our orientation; linear weights are [out, in]. */
  readonly shape: Shape;
  readonly role: TensorRole;
  /** The bias of a normalisation. */
  readonly ofNorm?: true;
  /** Stored as [in, out] (GPT-2's Conv1D). */
  readonly transposed?: true;
  /** Which token input names the rows of an embedding table; the ids where not given. */
  readonly rows?: keyof TokenInputs;
  /** A base checkpoint may lack it (a classification head); it then starts so. Others must be there. */
  readonly fresh?: FreshStart;
}

/** A place where a PEFT method can act: y = x Wᵀ + b. */
export interface LinearSpec {
  /** Name within the block: `self_attn.q_proj`. */
  readonly name: string;
  /** Full module name as peft and transformers know it: `model.layers.3.self_attn.q_proj`. */
  readonly module: string;
  readonly in: number;
  readonly out: number;
  readonly bias: boolean;
  /** Counted by `all-linear`; output heads are not, as in peft. */
  readonly head?: true;
}

/** A part of a layer that methods see as a whole. */
export type PartName = "attention" | "mlp";

export interface PartSpec {
  readonly name: PartName;
  /** Its linear sites by name, in order; what the last gives is what the part gives. */
  readonly linears: readonly string[];
}

export interface BlockSpec {
  readonly kind: "embedding" | "layer" | "head";
  /** Unique: `embedding`, `layers.3`, `head`. */
  readonly id: string;
  readonly tensors: readonly TensorSpec[];
  readonly linears: readonly LinearSpec[];
  /** Of layers. */
  readonly parts?: readonly PartSpec[];
}

/** y = x Wᵀ + b at a linear site. */
export type LinearLayer = (name: string, x: Value) => Value;

/** What a part makes of its input, by the linear layers that it is given. */
export type ComputePart = (input: Value, linear: LinearLayer) => Value;

/** How a block reaches its tensors and linear sites while it is traced. */
export interface BlockScope {
  readonly g: Graph;
  /** A norm or bias as float32. */
  tensor(name: string): Value;
  /** Rows of an embedding table [rows, width] at int32 indices [batch, length]: [batch · length, width]. */
  lookup(name: string, indices: Value): Value;
  /** y = x Wᵀ + b at a linear site, with whatever method acts there. x is [rows, in]. */
  linear(name: string, x: Value): Value;
  /** A part of a layer, from its input to what is added to the hidden state, with whatever method acts there. */
  part(name: PartName, input: Value, compute: ComputePart): Value;
}

/** What every layer of a pass reads beside the hidden state. */
export interface LayerContext {
  readonly batch: number;
  readonly length: number;
  /** cos and sin [batch or 1, length, 1, headDim/2] of rotary models. */
  readonly rotary?: { readonly cos: Value; readonly sin: Value };
  /** Added to attention scores: [batch or 1, 1, length or 1, keys]; causal masking comes in addition. */
  readonly bias?: Value;
  readonly causal: boolean;
  /** Keys and values [batch, kvHeads, past, headDim] of earlier tokens, in generation. */
  readonly past?: { readonly keys: Value; readonly values: Value };
  /** Keys and values [batch, kvHeads, count, headDim] that a method puts before all others; every query sees them. */
  readonly prefix?: { readonly keys: Value; readonly values: Value };
  /** Called with this layer's own keys and values [batch, kvHeads, length, headDim]. */
  readonly onKeysValues?: (keys: Value, values: Value) => void;
  /** Called with the attention's weights [batch, heads, length, keys]. */
  readonly onAttention?: (weights: Value) => void;
}

/** Token inputs of a pass, all [batch, length] int32. */
export interface TokenInputs {
  readonly ids: Value;
  readonly positions: Value;
  readonly types: Value;
}

/** Sizes that the rest of the engine needs. */
export interface ModelSizes {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly intermediate: number;
  /** Longest sequence that the positions allow. */
  readonly maxLength: number;
}

export type Task = "causal-lm" | "sequence-classification";

/** What the head's rows are compared with: a class each, or numbers. */
export type HeadTarget = "classes" | "values";

/** What a classification head should give, where the data decides it and not the checkpoint. */
export interface HeadOutputs {
  readonly labels: number;
  readonly target: HeadTarget;
}

/** A model read from its config.json: pure description, no weights. */
export interface Model {
  readonly modelType: string;
  readonly task: Task;
  /** The class name that transformers would use, for saving. */
  readonly transformersClass: string;
  readonly sizes: ModelSizes;
  readonly blocks: readonly BlockSpec[];
  /** The prefix that `source` names have because the base model is a part of a larger one: `model`. */
  readonly basePrefix: string;
  /** Outputs of a sequence-classification head. */
  readonly labels?: number;
  readonly target: HeadTarget;
  /** The module of a classification head: an adapter run trains it whole, as peft does. */
  readonly headModule?: string;
  readonly causal: boolean;
  /** Inverse frequencies of rotary positions [headDim/2], with the factor on cos and sin. */
  readonly rotary?: { readonly inverseFrequencies: Float64Array; readonly scale: number };
  /** Position ids: plain 0, 1, …, or shifted past the padding index (RoBERTa). */
  readonly firstPosition: number;
  /** The same architecture about `factor` times as narrow: with fewer heads of the same size. */
  narrowed(factor: number): Model;
  /** Hidden states [batch · length, hidden] of token inputs. */
  embed(scope: BlockScope, tokens: TokenInputs): Value;
  /** One layer: [batch · length, hidden] to the same. */
  layer(scope: BlockScope, hidden: Value, context: LayerContext): Value;
  /** Rows [n, hidden] to logits [n, vocabulary]; classifiers: first tokens' rows [n, hidden] to [n, labels]. */
  head(scope: BlockScope, rows: Value): Value;
}

export interface ReadModel {
  readonly value: Model | undefined;
  readonly findings: readonly Finding[];
}
