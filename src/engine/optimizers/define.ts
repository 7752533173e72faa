/** @file What an update rule states: its state, the numbers it needs at each step, and the step itself. */
import { invariant } from "../../shared/errors.ts";
import type { Fields, Infer } from "../../shared/schema.ts";
import { complete } from "../config.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import type { Graph, Value } from "../core/graph.ts";

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
  readonly state: Readonly<Record<string, Value>>;
}

export interface UpdateRuleDefinition<F extends Fields> extends CatalogRow<F> {
  /** Names of the state tensors, each of the weight's shape, all zero at the start. */
  readonly state: readonly string[];
  /** Numbers that change from step to step; t counts from 1. `decays`: weight decay applies to this tensor. */
  numbers(
    config: Infer<F>,
    step: { readonly t: number; readonly lr: number; readonly decays: boolean },
  ): Readonly<Record<string, number>>;
  /** One step; every element depends on its own place alone, so that tensors may be cut and joined. */
  step(g: Graph, inputs: StepInputs, config: Infer<F>): StepOutputs;
}

export interface BoundRule {
  readonly name: string;
  readonly state: readonly string[];
  readonly numbers: (step: {
    readonly t: number;
    readonly lr: number;
    readonly decays: boolean;
  }) => Readonly<Record<string, number>>;
  readonly step: (g: Graph, inputs: StepInputs) => StepOutputs;
}

export interface UpdateRule extends CatalogRow {
  readonly kind: "optimizer";
  readonly state: readonly string[];
  readonly bind: (config: unknown) => BoundRule;
}

export function defineUpdateRule<F extends Fields>(
  definition: UpdateRuleDefinition<F>,
): UpdateRule {
  const { name, config: fields, state } = definition;
  return {
    kind: "optimizer",
    ...rowOf(definition),
    state,
    bind(given) {
      const config = complete(fields, given, name);
      return {
        name,
        state,
        numbers: (step) => definition.numbers(config, step),
        step: (g, inputs) => definition.step(g, inputs, config),
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
