/** @file Examples as a reader may check them: each token's text, id, and whether it is trained on. */
import { at } from "../../shared/errors.ts";
import type { Examples } from "./examples/example-store.ts";
import type { LabelTarget } from "./examples/label-column.ts";
import { streamDecoder } from "./tokenizer/stream-decoder.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

export interface ViewedToken {
  readonly id: number;
  /** Its text; a token that ends within a character is shown as the vocabulary spells it. */
  readonly text: string;
  /** Whether the loss is computed on predicting it. */
  readonly trained: boolean;
}

export interface ViewedExample {
  /** Row of the file, from 0. */
  readonly row: number;
  readonly tokens: readonly ViewedToken[];
  /** The label of a labelled example, as the data have it. */
  readonly label: string | undefined;
}

/** The first `count` examples. */
export function viewTokens(
  examples: Examples,
  tokenizer: Tokenizer,
  options: { readonly count: number; readonly target?: LabelTarget | undefined },
): readonly ViewedExample[] {
  const count = Math.min(options.count, examples.count);
  return Array.from({ length: count }, (_, example) => {
    const stream = streamDecoder(tokenizer);
    const start = at(examples.starts, example);
    const ids = examples.ids.subarray(start, at(examples.starts, example + 1));
    const tokens = Array.from(ids, (id, index) => ({
      id,
      text: stream.push(id) || (tokenizer.tokenOf(id) ?? ""),
      trained: index > 0 && at(examples.trained, start + index) === 1,
    }));
    return {
      row: at(examples.rows, example),
      tokens,
      label: labelOf(examples, example, options.target),
    };
  });
}

function labelOf(
  examples: Examples,
  example: number,
  target: LabelTarget | undefined,
): string | undefined {
  if (examples.labels === undefined) return undefined;
  const label = at(examples.labels, example);
  return target?.kind === "class" ? target.names[label] : String(label);
}
