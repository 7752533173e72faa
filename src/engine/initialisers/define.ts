/** @file What an initialiser states: how the factors of any low-rank pair start, and whether their product is taken off W. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import { complete } from "../config.ts";
import type {
  Allocate,
  CalibrationChoice,
  StartContext,
  StartNeed,
  StartSite,
} from "../methods/start.ts";

/** Factors of s B A, or s B core A for a method with a core [rank, rank]. */
export interface StartedPair {
  /** [rank, in] */
  readonly A: Float32Array;
  /** [out, rank] */
  readonly B: Float32Array;
  /** [rank, rank]; the identity where it is not given and the method has one. */
  readonly core?: Float32Array;
  /** Whether scale · B A is taken off the held weight. */
  readonly subtract: boolean;
}

/** A start by role, whatever the method calls its tensors. */
export interface PairStart {
  readonly needs: readonly StartNeed[];
  readonly calibration?: CalibrationChoice;
  readonly allocate?: Allocate;
  readonly run: (site: StartSite, ctx: StartContext) => Promise<StartedPair>;
}

export interface InitialiserDefinition<F extends Fields> extends CatalogRow<F> {
  start(config: Infer<F>): PairStart;
  /** Why the model is not the base's at step 0, where it is not. */
  readonly changesAtStart?: string;
  /** Whether only methods with a core between the two factors can start so. */
  readonly takesCore?: true;
}

export interface Initialiser extends CatalogRow {
  readonly kind: "initialiser";
  readonly changesAtStart: string | undefined;
  readonly takesCore: boolean;
  readonly bind: (config: unknown) => PairStart;
}

export function defineInitialiser<F extends Fields>(
  definition: InitialiserDefinition<F>,
): Initialiser {
  const { name, config: fields } = definition;
  return {
    kind: "initialiser",
    ...rowOf(definition),
    changesAtStart: definition.changesAtStart,
    takesCore: definition.takesCore ?? false,
    bind: (given) => definition.start(complete(fields, given, name)),
  };
}
