/** @file Examples cut into prompt and completion, in the groups that are generated from together. */
import { at } from "../../../shared/errors.ts";
import type { Examples } from "./example-store.ts";

/** Prompts that are generated from at a time. */
const together = 16;

/** Examples that are generated from together. */
export interface PromptGroup {
  /** Equally many in each group: the last repeats its last, so that no further programs are needed. */
  readonly prompts: readonly Int32Array[];
  /** One for each example, so that prompts beyond them are repetitions. */
  readonly completions: readonly Int32Array[];
}

/** A split's examples in its order, so many of them together as memory for their keys and values is kept small. */
export function promptGroups(examples: Examples, subset: Uint32Array): readonly PromptGroup[] {
  const size = Math.min(together, subset.length);
  return Array.from({ length: Math.ceil(subset.length / together) }, (_, group) => {
    const own = subset.subarray(group * together, (group + 1) * together);
    const cut = Array.from(own, (example) => cutAtCompletion(examples, example));
    return {
      prompts: Array.from(
        { length: size },
        (_, row) => at(cut, Math.min(row, cut.length - 1)).prompt,
      ),
      completions: cut.map(({ completion }) => completion),
    };
  });
}

/** An example's ids before and from the first token that is trained on. */
function cutAtCompletion(
  { ids, starts, trained }: Examples,
  example: number,
): { readonly prompt: Int32Array; readonly completion: Int32Array } {
  const start = at(starts, example);
  const end = at(starts, example + 1);
  let cut = start + 1;
  while (cut < end && trained[cut] === 0) cut++;
  return { prompt: ids.subarray(start, cut), completion: ids.subarray(cut, end) };
}
