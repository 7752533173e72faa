/** @file Methods beside the model: a narrow network of its own that reads the frozen one's hidden states, layer by layer. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import type { TensorSpec } from "../models/architecture.ts";
import type { BoundPlaceCommon, PlaceDefinition, PlaceRow, Read, Tensors } from "./place.ts";
import { bindPlace, placeRow, reader } from "./place.ts";

export interface SideSite {
  /** Where the side network begins, at one of its layers, or where it gives its result to the head. */
  readonly at: "enter" | "layer" | "leave";
  /** Of the model's hidden state. */
  readonly width: number;
  /** Of the side network's. */
  readonly narrow: number;
  /** The narrow layer's tensors: the core computes the layer as the model computes its own. */
  readonly tensors: readonly Pick<TensorSpec, "name" | "shape" | "role" | "ofNorm">[];
}

/** The hidden state of the model [rows, width] and of the side network [rows, narrow]. */
export interface SideStates {
  readonly hidden: Value;
  readonly side: Value;
}

/** Gradients go to the side network's states and tensors alone, never into the model. */
export interface SideDefinition<F extends Fields, P extends string> extends PlaceDefinition<
  F,
  P,
  SideSite
> {
  /** How many times narrower its layers are. */
  narrowing(config: Infer<F>): number;
  /** The side network's first state, of the embedding's [rows, width]. */
  enter(g: Graph, embedded: Value, read: Read<P>, config: Infer<F>): Value;
  /** What a narrow layer reads, of the layer before it and of the model's own layer's result. */
  fuse(g: Graph, states: SideStates, read: Read<P>, config: Infer<F>): Value;
  /** What the head reads [rows, width], of the last layers' states. */
  leave(g: Graph, states: SideStates, read: Read<P>, config: Infer<F>): Value;
}

export interface BoundSide extends BoundPlaceCommon<SideSite> {
  readonly kind: "side";
  readonly narrowing: number;
  readonly enter: (g: Graph, embedded: Value, params: Tensors) => Value;
  readonly fuse: (g: Graph, states: SideStates, params: Tensors) => Value;
  readonly leave: (g: Graph, states: SideStates, params: Tensors) => Value;
}

export interface SideMethod extends PlaceRow {
  readonly kind: "side";
  readonly bind: (config: unknown) => BoundSide;
}

export function defineSideMethod<F extends Fields, P extends string>(
  definition: SideDefinition<F, P>,
): SideMethod {
  return {
    kind: "side",
    ...placeRow(definition),
    bind(given) {
      const { config, common } = bindPlace(definition, given);
      const read = (params: Tensors): Read<P> => reader(definition.name, params);
      return {
        kind: "side",
        ...common,
        narrowing: definition.narrowing(config),
        enter: (g, embedded, params) => definition.enter(g, embedded, read(params), config),
        fuse: (g, states, params) => definition.fuse(g, states, read(params), config),
        leave: (g, states, params) => definition.leave(g, states, read(params), config),
      };
    },
  };
}
