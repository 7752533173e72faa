/** @file What a quantizer states: its fields, how a weight is held, and how many bytes that takes. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import { complete } from "../config.ts";
import type { Storage } from "../programs/setup.ts";

export interface QuantizerDefinition<F extends Fields> extends CatalogRow<F> {
  /** How a weight is held under this configuration. */
  storage(config: Infer<F>): Storage;
}

export interface Quantizer extends CatalogRow {
  readonly kind: "quantizer";
  readonly bind: (config: unknown) => Storage;
}

export function defineQuantizer<F extends Fields>(definition: QuantizerDefinition<F>): Quantizer {
  return {
    kind: "quantizer",
    ...rowOf(definition),
    bind: (config) => definition.storage(complete(definition.config, config, definition.name)),
  };
}
