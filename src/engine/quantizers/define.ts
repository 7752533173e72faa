/** @file What a quantizer states: its fields, how a weight is held, and how many bytes that takes. */
import { invariant } from "../../shared/errors.ts";
import type { Fields, Infer } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { holds } from "../config.ts";
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
  const { name, title, doc, paperTitle, paper, config: fields } = definition;
  return {
    kind: "quantizer",
    name,
    title,
    doc,
    paperTitle,
    paper,
    config: fields,
    bind(config) {
      invariant(holds(fields, config), `${name} was given an incomplete configuration`);
      return definition.storage(config);
    },
  };
}
