/** @file Examples cut into prompt and completion, in the groups that are generated from together. */
import { at } from "../../../shared/errors.ts";
import type { Examples } from "./example-store.ts";

/** Prompts that are generated from at a time. */
const together = 16;

/** An example's ids before and from the first token that is trained on. */
export interface Prompted {
  readonly prompt: Int32Array;
  readonly completion: Int32Array;
}

/** A split's examples in its order, so many of them together as memory for their keys and values is kept small. */
export function promptGroups(
  examples: Examples,
  subset: Uint32Array,
): readonly (readonly Prompted[])[] {
  const groups = Math.ceil(subset.length / together);
  return Array.from({ length: groups }, (_, group) =>
    Array.from(subset.subarray(group * together, (group + 1) * together), (example) =>
      cutAtCompletion(examples, example),
    ),
  );
}

function cutAtCompletion({ ids, starts, trained }: Examples, example: number): Prompted {
  const start = at(starts, example);
  const end = at(starts, example + 1);
  let cut = start + 1;
  while (cut < end && trained[cut] === 0) cut++;
  return { prompt: ids.subarray(start, cut), completion: ids.subarray(cut, end) };
}
