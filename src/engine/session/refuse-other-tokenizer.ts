/** @file A tokenizer whose ids have no row in the model's table of words is of another model. */
import { UserError } from "../../shared/errors.ts";
import type { LoadedTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { Model } from "../models/architecture.ts";

/** Throws a {@link UserError} where the embedding lacks rows of the tokenizer's ids. */
export function refuseOtherTokenizer(
  { sizes }: Pick<Model, "sizes">,
  { largestId }: LoadedTokenizer,
): void {
  if (largestId < sizes.vocabulary) return;
  throw new UserError({
    code: "tokenizer-exceeds-embedding",
    message: `The tokenizer has ids up to ${largestId}, but the model's embedding has ${sizes.vocabulary} rows.`,
    remedy:
      "Tokenizer and model belong to different checkpoints, or tokens were added without resizing the embedding.",
  });
}
