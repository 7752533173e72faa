/** @file The figures that a heat map can show of a matrix: one row each. */
import type { Entry } from "../../analysis/documents.ts";
import { entryAt, number, numbers } from "../../analysis/documents.ts";

export interface Figure {
  readonly name: string;
  /** In English; what is said is its translation. */
  readonly label: string;
  /** NaN where the matrix has none. */
  readonly value: (matrix: Entry) => number;
}

const parts = [
  { name: "update", label: "update", path: ["update", "spectrum"] },
  { name: "tuned", label: "tuned", path: ["tuned"] },
  { name: "base", label: "base", path: ["base"] },
] as const;

const ofSpectrum = [
  { name: "stableRank", label: "Stable rank of the {0}" },
  { name: "effectiveRank", label: "Effective rank of the {0}" },
  { name: "numericalRank", label: "Numerical rank of the {0}" },
] as const;

export const figures: readonly Figure[] = [
  {
    name: "relativeSize",
    label: "Size of the update, ‖ΔW‖ / ‖W‖",
    value: (matrix) => number(matrix, "update", "relativeSize"),
  },
  ...parts.map(({ name, label, path }) => ({
    name: `${name}.sigma1`,
    label: `Largest singular value of the ${label}`,
    value: (matrix: Entry) => numbers(matrix, ...path, "sigma")[0] ?? NaN,
  })),
  ...ofSpectrum.flatMap((figure) =>
    parts.map(({ name, label, path }) => ({
      name: `${name}.${figure.name}`,
      label: figure.label.replace("{0}", label),
      value: (matrix: Entry) => number(matrix, ...path, figure.name),
    })),
  ),
  ...parts.map(({ name, label, path }) => ({
    name: `${name}.alpha`,
    label: `Power-law α of the ${label}`,
    value: (matrix: Entry) => number(entryAt(matrix, ...path), "powerLaw", "alpha"),
  })),
];
