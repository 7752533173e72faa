/** @file The one table of choices that exclude one another, with the reason: read before a run is set up, and by editors. */
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../shared/findings.ts";
import { methods, optimizers, rowNamed } from "./catalog.ts";
import type { BoundMethod, Method } from "./methods/define.ts";
import { isPlaced } from "./methods/placed.ts";
import type { BoundRule } from "./optimizers/define.ts";

export type PairFields = Pick<Experiment, "method" | "export"> & {
  readonly data: Pick<Experiment["data"], "packing">;
  readonly train: Pick<Experiment["train"], "optimizer" | "active_layers">;
};

interface Excluded {
  readonly code: string;
  /** The names of the two, where both are chosen. */
  readonly applies: (chosen: Chosen) => readonly [string, string] | undefined;
  readonly why: string;
}

interface Chosen {
  readonly fields: PairFields;
  readonly methods: readonly BoundMethod[];
  readonly rule: BoundRule;
}

const excluded: readonly Excluded[] = [
  {
    code: "hooks-without-gradients",
    applies({ methods: bound, rule }) {
      const acting = bound.find(({ hooks }) => hooks !== undefined);
      return acting && rule.gradients !== "kept" ? [acting.name, rule.name] : undefined;
    },
    why: "the one acts between the gradients of a whole step and its update, the other never has them together",
  },
  {
    code: "hooks-with-resting-layers",
    applies({ fields, methods: bound }) {
      const acting = bound.find(({ hooks }) => hooks !== undefined);
      const layers = fields.train.active_layers;
      return acting && layers ? [acting.name, layers.type] : undefined;
    },
    why: "the one compares all modules at each step, the other lets most rest",
  },
  {
    code: "prompt-with-packing",
    applies({ fields }) {
      const before = rowsOf(fields).find(({ kind }) => kind === "tokens" || kind === "prefix");
      return before && fields.data.packing ? [before.name, "data.packing"] : undefined;
    },
    why: "the one stands before the words of every example, the other puts several into one row",
  },
  {
    code: "no-merged-form",
    applies({ fields }) {
      const apart = rowsOf(fields).find((row) => isPlaced(row) && row.staysApart !== undefined);
      return apart && fields.export.includes("merged") ? [apart.name, "export: merged"] : undefined;
    },
    why: "what the one trains stands in no weight of the model",
  },
  {
    code: "pair-rule-without-pair",
    applies({ fields, methods: bound, rule }) {
      const other =
        bound.find(({ roles }) => roles === undefined || roles.core !== undefined) ??
        rowsOf(fields).find(({ kind }) => kind !== "linear");
      return rule.pair && other ? [rule.name, other.name] : undefined;
    },
    why: "the one corrects the gradients of the two factors of a pair, which the other does not train together",
  },
];

function rowsOf({ method }: PairFields): readonly Method[] {
  return method.map(({ type }) => rowNamed(methods, type));
}

/** What an experiment chooses that cannot be together. */
export function excludedPairs(fields: PairFields): readonly Finding[] {
  const bound = fields.method.flatMap(({ type, config }) => {
    const row = rowNamed(methods, type);
    return row.kind === "linear" ? [row.bind(config)] : [];
  });
  const { type, config } = fields.train.optimizer;
  const rule = rowNamed(optimizers, type).bind(config);
  return excluded.flatMap(({ code, applies, why }): readonly Finding[] => {
    const names = applies({ fields, methods: bound, rule });
    if (names === undefined) return [];
    return [
      {
        code,
        severity: "error",
        message: `${names.join(" and ")} cannot be together: ${why}.`,
        remedy: "Choose another for one of them.",
      },
    ];
  });
}
