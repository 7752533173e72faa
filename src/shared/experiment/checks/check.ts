/** @file What a check of an experiment states: a stable code, how grave it is, why it exists, and how it finds. */
import type { Severity } from "../../findings.ts";
import type { Variant } from "../../schema.ts";
import type { Experiment } from "../fields/experiment-fields.ts";
import type { ExperimentCode, Fix } from "../findings.ts";
import type { MapNode, Path } from "../tree.ts";

/** One thing found, at the field it is about. */
export interface Found {
  /** Dotted, or in steps where a key has dots of its own. */
  readonly path: string | Path;
  readonly message: string;
  readonly remedy?: string;
  readonly fix?: Fix;
}

/** What the files themselves say. */
export interface Said {
  readonly document: MapNode;
  /** They give the field. */
  readonly says: (path: string) => boolean;
  /** They give it another value than its default, so that somebody meant it. */
  readonly chooses: (path: string) => boolean;
  /** The catalog's row of a method. */
  readonly methodRow: (type: string) => Variant | undefined;
}

/** Looks at the completed experiment; needs nothing but what the files say. */
export interface Check {
  readonly code: ExperimentCode;
  readonly severity: Severity;
  /** Why what it finds is a fault: one or two sentences for the table of checks. */
  readonly doc: string;
  readonly find: (experiment: Experiment, said: Said) => readonly Found[];
}
