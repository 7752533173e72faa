/** @file How a kind of adapter finds the places of its tensors in a model. */
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked } from "../../shared/findings.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { Model } from "../models/architecture.ts";
import type { PlacedAdapter } from "./place-adapter.ts";

export type Placing = (
  names: ReadonlySet<string>,
  model: Model,
  fullMatch: FullMatch,
) => Checked<PlacedAdapter>;

export type Json = Readonly<Record<string, unknown>>;

/** A field's fault, in words that end a sentence. */
export interface Refusal {
  readonly field: string;
  readonly why: string;
}

/** A method with its own fields, and all others as they are where a file says nothing. */
export function plainChoice(type: string, config: Json): MethodChoice {
  return {
    type,
    config,
    target_modules: "all-linear",
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
    rank_pattern: {},
    alpha_pattern: {},
    dropout: 0,
    bias: "none",
    modules_to_save: [],
    init: { type: "default", config: {} },
    from: null,
    allocation: null,
    sharing: null,
  };
}
