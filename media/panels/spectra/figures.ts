/** @file The figures that a heat map can show of a matrix: one row each. */
import type { Entry } from "../../analysis/documents.ts";
import { entryAt, number, numbers } from "../../analysis/documents.ts";
import type { Say } from "../../shared/say.ts";

export interface Figure {
  readonly name: string;
  readonly label: string;
  /** NaN where the matrix has none. */
  readonly value: (matrix: Entry) => number;
}

/** What a heat map can show, said in the editor's language. */
export function figuresOf(say: Say): readonly Figure[] {
  const parts = [
    { name: "update", label: say("update"), path: ["update", "spectrum"] },
    { name: "tuned", label: say("tuned"), path: ["tuned"] },
    { name: "base", label: say("base"), path: ["base"] },
  ];
  const ofEach = (
    name: string,
    label: string,
    value: (spectrum: Entry | undefined) => number,
  ): readonly Figure[] =>
    parts.map((part) => ({
      name: `${part.name}.${name}`,
      label: `${label} · ${part.label}`,
      value: (matrix) => value(entryAt(matrix, ...part.path)),
    }));
  return [
    {
      name: "relativeSize",
      label: say("Size of the update, ‖ΔW‖ / ‖W‖"),
      value: (matrix) => number(matrix, "update", "relativeSize"),
    },
    ...facts.flatMap(({ name, label, value }) => ofEach(name, label(say), value)),
    ...ofEach("bulk", say("Spikes beyond the bulk"), (spectrum) =>
      number(spectrum, "marchenkoPastur", "spikes"),
    ),
  ];
}

/** A figure of one spectrum: what the table of a matrix says too. */
export interface Fact {
  readonly name: string;
  readonly label: (say: Say) => string;
  readonly value: (spectrum: Entry | undefined) => number;
}

export const facts: readonly Fact[] = [
  {
    name: "sigma1",
    label: (say) => say("Largest singular value"),
    value: (spectrum) => numbers(spectrum, "sigma")[0] ?? NaN,
  },
  {
    name: "frobenius",
    label: (say) => say("Frobenius norm"),
    value: (spectrum) => number(spectrum, "frobenius"),
  },
  {
    name: "stableRank",
    label: (say) => say("Stable rank"),
    value: (spectrum) => number(spectrum, "stableRank"),
  },
  {
    name: "effectiveRank",
    label: (say) => say("Effective rank"),
    value: (spectrum) => number(spectrum, "effectiveRank"),
  },
  {
    name: "numericalRank",
    label: (say) => say("Numerical rank"),
    value: (spectrum) => number(spectrum, "numericalRank"),
  },
  {
    name: "conditionNumber",
    label: (say) => say("Condition number"),
    value: (spectrum) => number(spectrum, "conditionNumber"),
  },
  {
    name: "alpha",
    label: (say) => say("Power-law α"),
    value: (spectrum) => number(spectrum, "powerLaw", "alpha"),
  },
];
