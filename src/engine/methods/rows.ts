/** @file Methods at single rows of the table of words, and of the head that is tied to it. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import type { BoundPlaceCommon, PlaceDefinition, PlaceRow, Read, Tensors } from "./place.ts";
import { bindPlace, placeRow, reader } from "./place.ts";

export interface RowsSite {
  /** Of a word's row. */
  readonly width: number;
}

export interface RowsDefinition<F extends Fields, P extends string> extends PlaceDefinition<
  F,
  P,
  RowsSite
> {
  /** Which rows, each once. */
  indices(config: Infer<F>): readonly number[];
  /** What is added to them [count, width]. */
  change(g: Graph, read: Read<P>, config: Infer<F>, site: RowsSite): Value;
}

export interface BoundRows extends BoundPlaceCommon<RowsSite> {
  readonly kind: "rows";
  readonly indices: readonly number[];
  readonly change: (g: Graph, params: Tensors, site: RowsSite) => Value;
}

export interface RowsMethod extends PlaceRow {
  readonly kind: "rows";
  readonly bind: (config: unknown) => BoundRows;
}

export function defineRowsMethod<F extends Fields, P extends string>(
  definition: RowsDefinition<F, P>,
): RowsMethod {
  return {
    kind: "rows",
    ...placeRow(definition),
    bind(given) {
      const { config, common } = bindPlace(definition, given);
      return {
        kind: "rows",
        ...common,
        indices: [...new Set(definition.indices(config))],
        change: (g, params, site) =>
          definition.change(g, reader(definition.name, params), config, site),
      };
    },
  };
}
