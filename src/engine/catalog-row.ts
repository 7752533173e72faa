/** @file What every row of the catalog says of itself; files, help, hover and the README's table read it. */
import type { Fields } from "../shared/schema.ts";

export interface CatalogRow<F extends Fields = Fields> {
  /** As the experiment file names it. */
  readonly name: string;
  readonly title: string;
  /** What it does, in one sentence. */
  readonly doc: string;
  readonly paperTitle: string;
  readonly paper: string;
  /** Its own fields in an experiment file. */
  readonly config: F;
}

/** What a definition says as a row, without what it computes. */
export function rowOf<F extends Fields>(definition: CatalogRow<F>): CatalogRow<F> {
  const { name, title, doc, paperTitle, paper, config } = definition;
  return { name, title, doc, paperTitle, paper, config };
}
