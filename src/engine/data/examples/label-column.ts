/** @file Collects the labels of a data set and settles what they are. */
import { at, UserError } from "../../../shared/errors.ts";
import type { Row } from "../rows/row.ts";
import {
  collectedLabels,
  fixedLabels,
  labelName,
  labelNumber,
  looksLikeRegression,
  orderedLabels,
} from "./labels.ts";

/** What a labelled example is to be: one of several classes, or a number. */
export type LabelTarget =
  { readonly kind: "class"; readonly names: readonly string[] } | { readonly kind: "number" };

export interface LabelColumn {
  /** The number kept for a row until the labels are settled. */
  read(row: Row): number;
  /** Turns the kept numbers, in place, into class ids or measurements. */
  settle(kept: Float64Array): LabelTarget;
}

/** Reads labels against a target that is settled, as evaluation data are read against the training data's. */
export function knownLabels(column: string, target: LabelTarget): LabelColumn {
  if (target.kind === "number")
    return { read: (row) => labelNumber(row, column), settle: () => target };
  const ids = fixedLabels(target.names);
  return { read: (row) => ids.idOf(row, labelName(row, column)), settle: () => target };
}

/** Takes the labels as they come and settles at the end what they are. */
export function foundLabels(
  column: string,
  problem: "auto" | "single_label_classification",
): LabelColumn {
  const found = collectedLabels();
  return {
    read: (row) => found.idOf(row, labelName(row, column)),
    settle(kept) {
      if (problem === "auto" && looksLikeRegression(found.names)) {
        const numbers = found.names.map(Number);
        kept.forEach((id, index) => (kept[index] = at(numbers, id)));
        return { kind: "number" };
      }
      const names = orderedLabels(found.names);
      if (names.length < 2)
        throw new UserError({
          code: "one-label",
          message: `Every example has the label \`${names[0] ?? ""}\`: there is nothing to tell apart.`,
          remedy: "Check that `data.columns.label` names the right column, or list `data.labels`.",
        });
      const ids = new Map(names.map((name, id) => [name, id]));
      const moved = found.names.map((name) => ids.get(name) ?? 0);
      kept.forEach((id, index) => (kept[index] = at(moved, id)));
      return { kind: "class", names };
    },
  };
}
