/** @file Sets a part of the training examples aside, and sees that no file serves two ends. */
import { at, UserError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/findings.ts";
import { shuffled } from "./shuffle.ts";

/** Examples by their number, each part in the order of the file. */
export interface Split {
  readonly train: Uint32Array;
  readonly eval: Uint32Array;
}

/**
 * Sets `share` of the examples aside, drawn by `seed`: rounded up as scikit-learn does, at least one, never
 * all. A single example is refused with a UserError.
 */
export function splitExamples(count: number, share: number, seed: number): Split {
  if (count < 2)
    throw new UserError({
      code: "too-few-examples",
      message: `The training data have ${count === 1 ? "a single example" : "no examples"}: none can be set aside.`,
      remedy: "Give `data.eval` a file of its own, or more training data.",
    });
  const aside = Math.min(count - 1, Math.max(1, Math.ceil(share * count - 1e-9)));
  const order = shuffled(count, { seed, epoch: 0, purpose: "split" });
  const set = new Uint8Array(count);
  for (let index = 0; index < aside; index += 1) set[at(order, index)] = 1;
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  return {
    train: numbers.filter((index) => set[index] === 0),
    eval: numbers.filter((index) => set[index] === 1),
  };
}

/** Warns where two of the files are one. Paths are to be real ones. */
export function checkDistinctFiles(
  files: Readonly<Partial<Record<"train" | "eval" | "test", string>>>,
): readonly Finding[] {
  const pairs = [
    ["eval", "train"],
    ["test", "train"],
    ["test", "eval"],
  ] as const;
  return pairs.flatMap(([field, other]) => {
    const file = files[field];
    if (file === undefined || file !== files[other]) return [];
    return [
      {
        code: "shared-data-file",
        severity: "warning" as const,
        message: `\`data.${field}\` is the same file as \`data.${other}\`: its scores say nothing about new examples.`,
        place: { file, field: `data.${field}` },
        remedy:
          other === "train" && field === "eval"
            ? "Set a part of the training data aside: `eval: { from: train, share: 0.05 }`."
            : "Use examples that the model has not been chosen or trained by.",
      },
    ];
  });
}
