/** @file What every row of the catalog says of itself; files, help, hover and the README's table read it. */
import type { Fields } from "../shared/schema.ts";

/**
 * The axes on which rows are points: parameterization, initialisation, allocation of rank, sharing, update rule,
 * schedule, base and export.
 */
export type Axis = "P" | "I" | "R" | "X" | "U" | "T" | "B" | "E";

/** What a row's numbers were held against: its own invariants, another implementation's numbers, or a task. */
export type Evidence = "invariants" | "reference" | "task";

export interface CatalogRow<F extends Fields = Fields> {
  /** As the experiment file names it. */
  readonly name: string;
  readonly title: string;
  /** What it does, in one sentence. */
  readonly doc: string;
  /** What it computes, in the symbols of its file. */
  readonly equation: string;
  /** When to choose it, in one sentence. */
  readonly use: string;
  readonly paperTitle: string;
  readonly paper: string;
  /** Its own fields in an experiment file. */
  readonly config: F;
  /** Its place on the axes that it decides, in few words. */
  readonly axes?: Partial<Readonly<Record<Axis, string>>>;
  /** Why it does not stand on a quantized base, where it does not. */
  readonly noQuantizedBase?: string;
  /** `invariants` where not given. */
  readonly evidence?: Evidence;
}

/** What a definition says as a row, without what it computes. */
export function rowOf<F extends Fields>(definition: CatalogRow<F>): CatalogRow<F> {
  const { name, title, doc, equation, use, paperTitle, paper, config, axes = {} } = definition;
  const { evidence, noQuantizedBase } = definition;
  return {
    ...{ name, title, doc, equation, use, paperTitle, paper, config, axes },
    ...(noQuantizedBase === undefined ? {} : { noQuantizedBase }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}
