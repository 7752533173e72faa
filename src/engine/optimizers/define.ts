/** @file What an update rule states: its state, the numbers it needs at each step, and the step itself, by element, by matrix or by pair. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { Shape } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Fields, Infer } from "../../shared/schema.ts";
import { complete } from "../config.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import type { Graph, Value } from "../core/graph.ts";

/** What a rule may know of a trained tensor beside its numbers. */
export interface TensorFacts {
  readonly name: string;
  readonly shape: Shape;
  /** Whether weight decay applies: to matrices, not to biases and norms, as in transformers. */
  readonly decays: boolean;
  /** What it is in the model; a method's own tensor is a factor. */
  readonly kind?: "linear" | "head" | "embedding" | "norm" | "bias" | "factor";
  /** Rows of one attention head, of queries and keys. */
  readonly headRows?: number;
  /** Its place in a low-rank pair s B A. */
  readonly pair?: {
    readonly site: string;
    readonly role: "A" | "B" | "core";
    readonly scale: number;
    /** The weight [out, in] that it changes. */
    readonly shape: Shape;
  };
}

/** One step of one tensor. */
export interface StepNumbers {
  /** From 1. */
  readonly t: number;
  /** The schedule's, times the rule's own rate for this tensor. */
  readonly lr: number;
  readonly decays: boolean;
}

/** What a rule sees of one tensor at a step. */
export interface StepInputs {
  readonly weight: Value;
  /** The gradient, already clipped and averaged. */
  readonly gradient: Value;
  /** State tensors by name. */
  readonly state: Readonly<Record<string, Value>>;
  /** This step's numbers (`numbers`), as float32 scalars. */
  readonly numbers: Readonly<Record<string, Value>>;
}

export interface StepOutputs {
  readonly weight: Value;
  /** The next state; what is missing stays as it is. */
  readonly state: Readonly<Record<string, Value>>;
}

/** What a rule does on the host to a tensor now and then, before its step. */
export interface HostWork {
  readonly tensor: TensorFacts;
  readonly gradient: Float32Array;
  /** State by name, to be written. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly t: number;
  readonly linalg: Linalg;
}

/** The way of a rule with tensors that it steps one by one, by their shape. */
export interface MatrixPart<C> {
  /** Tensors that are stepped so; the others go by element. */
  takes(tensor: TensorFacts, config: C): boolean;
  /** State tensors with their shapes, all zero at the start. */
  state(tensor: TensorFacts, config: C): Readonly<Record<string, Shape>>;
  step(g: Graph, inputs: StepInputs, config: C, tensor: TensorFacts): StepOutputs;
  /** Runs before step 1 and each `every` steps after it. */
  readonly host?: { every(config: C): number; run(work: HostWork, config: C): Promise<void> };
}

/** The two factors of s B A with their gradients, row-major. */
export interface PairGradients {
  readonly rank: number;
  /** [rank, in] */
  readonly A: Float32Array;
  /** [out, rank] */
  readonly B: Float32Array;
  /** To be written. */
  readonly gradientA: Float32Array;
  readonly gradientB: Float32Array;
  readonly scale: number;
  readonly t: number;
  /** What the gradients are multiplied by afterwards, for clipping. */
  readonly gradientScale: number;
  /** State of B by name, to be written. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

/** A gradient from losses at w ± eps z alone: (L₊ − L₋) / (2 eps) · z, z normal and drawn again instead of stored. */
export interface Estimate {
  readonly eps: number;
}

/** Noise on trained tensors while the gradient is computed, taken off again before the update. */
export interface NoisePart<C> {
  takes(tensor: TensorFacts, config: C): boolean;
  /** State arrays of a tensor, by name and length. */
  state(tensor: TensorFacts, config: C): Readonly<Record<string, Shape>>;
  /** Deviation of each row before the gradient. */
  deviations(
    weight: Float32Array,
    state: ReadonlyMap<string, Float32Array>,
    config: C,
  ): Float32Array;
  /** Brings the state up to date with a gradient. */
  observe(gradient: Float32Array, state: ReadonlyMap<string, Float32Array>, config: C): void;
}

export interface UpdateRuleDefinition<F extends Fields> extends CatalogRow<F> {
  /** Names of the state tensors of what goes by element, each of the weight's shape, all zero at the start. */
  readonly state: readonly string[];
  /** Numbers that change from step to step. */
  numbers(config: Infer<F>, step: StepNumbers): Readonly<Record<string, number>>;
  /** One step; every element depends on its own place alone, so that tensors may be cut and joined. */
  step(g: Graph, inputs: StepInputs, config: Infer<F>): StepOutputs;
  /** What the learning rate is multiplied by for a tensor; 1 where not given. */
  rate?(tensor: TensorFacts, config: Infer<F>): number;
  readonly matrix?: MatrixPart<Infer<F>>;
  /** Rewrites the gradients of a pair before the step. */
  readonly pair?: (gradients: PairGradients, linalg: Linalg, config: Infer<F>) => Promise<void>;
  /** `consumed`: each block is updated in the backward pass and its gradient freed. `kept` where not given. */
  readonly gradients?: "kept" | "consumed";
  /** Gradients are estimated from losses; there is no backward pass. */
  estimate?(config: Infer<F>): Estimate;
  readonly noise?: NoisePart<Infer<F>>;
  /** Why its steps may end before an optimum where gradients have no noise, at its defaults. */
  readonly stopsShort?: string;
}

/** How a rule's state is laid out. */
export interface StateLayout {
  readonly state: readonly string[];
  readonly rate?: ((tensor: TensorFacts) => number) | undefined;
  /** State with shapes of its own of what is not stepped by element; undefined for what is. */
  readonly own?: ((tensor: TensorFacts) => ReadonlyMap<string, Shape> | undefined) | undefined;
  /** State beside that of the step, such as of a noise. */
  readonly beside?: ((tensor: TensorFacts) => ReadonlyMap<string, Shape>) | undefined;
  /** `none`: gradients are estimated. */
  readonly gradients?: "kept" | "consumed" | "none";
}

/** No state at all, as for inference. */
export const noState: StateLayout = { state: [] };

export interface BoundRule extends StateLayout {
  readonly name: string;
  readonly gradients: "kept" | "consumed" | "none";
  readonly numbers: (step: StepNumbers) => Readonly<Record<string, number>>;
  readonly step: (g: Graph, inputs: StepInputs, tensor?: TensorFacts) => StepOutputs;
  readonly rate: (tensor: TensorFacts) => number;
  readonly host:
    { readonly every: number; readonly run: (work: HostWork) => Promise<void> } | undefined;
  readonly pair: ((gradients: PairGradients, linalg: Linalg) => Promise<void>) | undefined;
  readonly estimate: Estimate | undefined;
  readonly noise:
    | {
        readonly takes: (tensor: TensorFacts) => boolean;
        readonly deviations: (
          weight: Float32Array,
          state: ReadonlyMap<string, Float32Array>,
        ) => Float32Array;
        readonly observe: (
          gradient: Float32Array,
          state: ReadonlyMap<string, Float32Array>,
        ) => void;
      }
    | undefined;
}

/** Whether it can go tensor by tensor where tensors are on a device with memory of its own. */
export function worksOnDevice({ own, pair, noise, gradients }: BoundRule): boolean {
  return !own && !pair && !noise && gradients === "kept";
}

export interface UpdateRule extends CatalogRow {
  readonly kind: "optimizer";
  readonly stopsShort: string | undefined;
  readonly bind: (config: unknown) => BoundRule;
}

export function defineUpdateRule<F extends Fields>(
  definition: UpdateRuleDefinition<F>,
): UpdateRule {
  const { name, config: fields, state, matrix, pair, noise, gradients = "kept" } = definition;
  return {
    kind: "optimizer",
    ...rowOf(definition),
    stopsShort: definition.stopsShort,
    bind(given) {
      const config = complete(fields, given, name);
      const estimate = definition.estimate?.(config);
      return {
        name,
        state,
        gradients: estimate ? "none" : gradients,
        numbers: (step) => definition.numbers(config, step),
        step: (g, inputs, tensor) =>
          tensor && matrix?.takes(tensor, config)
            ? matrix.step(g, inputs, config, tensor)
            : definition.step(g, inputs, config),
        rate: (tensor) => definition.rate?.(tensor, config) ?? 1,
        own:
          matrix &&
          ((tensor) =>
            matrix.takes(tensor, config)
              ? new Map(Object.entries(matrix.state(tensor, config)))
              : undefined),
        beside:
          noise &&
          ((tensor) =>
            new Map(
              noise.takes(tensor, config) ? Object.entries(noise.state(tensor, config)) : [],
            )),
        host: matrix?.host && {
          every: matrix.host.every(config),
          run: async (work) => matrix.host?.run(work, config),
        },
        pair: pair && ((pairGradients, linalg) => pair(pairGradients, linalg, config)),
        estimate,
        noise: noise && {
          takes: (tensor) => noise.takes(tensor, config),
          deviations: (weight, own) => noise.deviations(weight, own, config),
          observe: (gradient, own) => {
            noise.observe(gradient, own, config);
          },
        },
      };
    },
  };
}

/** A value that the rule itself declared. */
export function read(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name];
  invariant(value, `an update rule reads ${name}, which it does not declare`);
  return value;
}
