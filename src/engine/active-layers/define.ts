/** @file What a schedule over layers states: which blocks train at a step, as a function of seed and step alone. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import { complete } from "../config.ts";

/** What there is to choose from. */
export interface ActiveChoice {
  /** From 1. */
  readonly t: number;
  /** Ids of all blocks that train, from the embedding to the head. */
  readonly blocks: readonly string[];
  /** Those of the layers alone. */
  readonly layers: readonly string[];
  /** The numbers 0 … count − 1 in an order that follows from the run's seed and `draw`. */
  readonly shuffled: (draw: number, count: number) => readonly number[];
}

export interface ActiveLayersDefinition<F extends Fields> extends CatalogRow<F> {
  /** The blocks that train at step t. */
  active(choice: ActiveChoice, config: Infer<F>): readonly string[];
  /** Steps in which the learning rate stays as it is; 1 where not given. */
  cycle?(blocks: number, config: Infer<F>): number;
}

export interface BoundActiveLayers {
  readonly active: (choice: ActiveChoice) => readonly string[];
  readonly cycle: (blocks: number) => number;
}

export interface ActiveLayers extends CatalogRow {
  readonly kind: "active-layers";
  readonly bind: (config: unknown) => BoundActiveLayers;
}

export function defineActiveLayers<F extends Fields>(
  definition: ActiveLayersDefinition<F>,
): ActiveLayers {
  const { name, config: fields } = definition;
  return {
    kind: "active-layers",
    ...rowOf(definition),
    bind(given) {
      const config = complete(fields, given, name);
      return {
        active: (choice) => definition.active(choice, config),
        cycle: (blocks) => definition.cycle?.(blocks, config) ?? 1,
      };
    },
  };
}
