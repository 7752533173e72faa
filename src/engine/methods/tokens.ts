/** @file Methods at the tokens: rows that stand before those of the words in the first hidden state. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import type { BoundPlaceCommon, PlaceDefinition, PlaceRow, Read, Tensors } from "./place.ts";
import { bindPlace, placeRow, reader } from "./place.ts";

export interface TokensSite {
  /** Of a word's row. */
  readonly width: number;
}

export interface TokensDefinition<F extends Fields, P extends string> extends PlaceDefinition<
  F,
  P,
  TokensSite
> {
  /** How many virtual tokens stand before the words. */
  count(config: Infer<F>): number;
  /** Their rows [count, width], which stand where words are looked up. */
  rows(g: Graph, read: Read<P>, config: Infer<F>, site: TokensSite): Value;
}

export interface BoundTokens extends BoundPlaceCommon<TokensSite> {
  readonly kind: "tokens";
  readonly count: number;
  readonly rows: (g: Graph, params: Tensors, site: TokensSite) => Value;
}

export interface TokensMethod extends PlaceRow {
  readonly kind: "tokens";
  readonly bind: (config: unknown) => BoundTokens;
}

export function defineTokensMethod<F extends Fields, P extends string>(
  definition: TokensDefinition<F, P>,
): TokensMethod {
  return {
    kind: "tokens",
    ...placeRow(definition),
    bind(given) {
      const { config, common } = bindPlace(definition, given);
      return {
        kind: "tokens",
        ...common,
        count: definition.count(config),
        rows: (g, params, site) =>
          definition.rows(g, reader(definition.name, params), config, site),
      };
    },
  };
}
