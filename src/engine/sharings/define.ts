/** @file What a sharing states: which factors of a pair sites of one kind have in common. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import { complete } from "../config.ts";

export type Shared = readonly ("A" | "B")[];

export interface SharingDefinition<F extends Fields> extends CatalogRow<F> {
  /** Factors by role of which all sites of the same kind have one. */
  shared(config: Infer<F>): Shared;
}

export interface Sharing extends CatalogRow {
  readonly kind: "sharing";
  readonly bind: (config: unknown) => Shared;
}

export function defineSharing<F extends Fields>(definition: SharingDefinition<F>): Sharing {
  const { name, config: fields } = definition;
  return {
    kind: "sharing",
    ...rowOf(definition),
    bind: (given) => definition.shared(complete(fields, given, name)),
  };
}
