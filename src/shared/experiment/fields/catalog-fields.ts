/** @file What the catalog must say about its rows for an experiment file to be read. */
import type { Variants } from "../../schema.ts";

/** Each axis's rows with their own config fields; the experiment file names them by `type`. */
export interface CatalogFields {
  readonly methods: Variants;
  readonly initialisers: Variants;
  readonly allocations: Variants;
  readonly sharings: Variants;
  readonly quantizers: Variants;
  readonly optimizers: Variants;
  readonly schedulers: Variants;
  /** Rows of `train.active_layers`: which layers train when. */
  readonly activeLayers: Variants;
}
