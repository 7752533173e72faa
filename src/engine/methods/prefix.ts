/** @file Methods at the keys and values: pairs that every query of a layer may attend to before those of the words. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import type { BoundPlaceCommon, PlaceDefinition, PlaceRow, Read, Tensors } from "./place.ts";
import { bindPlace, placeRow, reader } from "./place.ts";

export interface PrefixSite {
  /** Width of a token's keys, all key-value heads together, and of its values. */
  readonly width: number;
}

export interface KeysValues {
  /** [count, width] */
  readonly keys: Value;
  readonly values: Value;
}

export interface PrefixDefinition<F extends Fields, P extends string> extends PlaceDefinition<
  F,
  P,
  PrefixSite
> {
  /** How many pairs stand before the words' at each layer. */
  count(config: Infer<F>): number;
  /** As attention reads them: rotary positions are not applied. */
  keysValues(g: Graph, read: Read<P>, config: Infer<F>, site: PrefixSite): KeysValues;
}

export interface BoundPrefix extends BoundPlaceCommon<PrefixSite> {
  readonly kind: "prefix";
  readonly count: number;
  readonly keysValues: (g: Graph, params: Tensors, site: PrefixSite) => KeysValues;
}

export interface PrefixMethod extends PlaceRow {
  readonly kind: "prefix";
  readonly bind: (config: unknown) => BoundPrefix;
}

export function definePrefixMethod<F extends Fields, P extends string>(
  definition: PrefixDefinition<F, P>,
): PrefixMethod {
  return {
    kind: "prefix",
    ...placeRow(definition),
    bind(given) {
      const { config, common } = bindPlace(definition, given);
      return {
        kind: "prefix",
        ...common,
        count: definition.count(config),
        keysValues: (g, params, site) =>
          definition.keysValues(g, reader(definition.name, params), config, site),
      };
    },
  };
}
