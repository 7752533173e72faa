/** @file What a check of fields against each other looks like. */
import type { Severity } from "../../findings.ts";
import type { Variant } from "../../schema.ts";
import type { Experiment } from "../fields/experiment-fields.ts";
import type { ExperimentCode, Fix } from "../findings.ts";
import type { MapNode, Path } from "../tree.ts";

export interface Contradiction {
  readonly code: ExperimentCode;
  readonly severity: Severity;
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

/** Looks at the completed experiment. */
export type Check = (experiment: Experiment, said: Said) => readonly Contradiction[];

export function contradiction(path: string | Path, message: string, remedy: string): Contradiction {
  return { code: "contradiction", severity: "error", path, message, remedy };
}

export function withoutEffect(path: string, message: string, remedy: string): Contradiction {
  return { code: "without-effect", severity: "warning", path, message, remedy };
}
