/** @file Decodes ids one by one as a model generates them, without breaking a character. */
import type { Tokenizer } from "./tokenizer.ts";

export interface StreamDecoder {
  /** Takes an id; gives the text that is now certain, which may be empty. */
  push(id: number): string;
  /** The text held back so far; call it once after the last id. */
  flush(): string;
}

/** Ids that may be pending inside one character: a code point has at most four bytes. */
const mostPending = 4;

/**
 * What is given out adds up to the decoded whole. Text is decoded together with the ids before it, because
 * decoders treat the first token of a text differently, and held back while it ends within a character.
 */
export function streamDecoder(
  tokenizer: Pick<Tokenizer, "decode">,
  options: { readonly skipSpecialTokens?: boolean } = {},
): StreamDecoder {
  /** Ids that were given out last and serve as context, then those held back. */
  let ids: number[] = [];
  let context = 0;
  let given = "";

  const take = (force: boolean): string => {
    const whole = tokenizer.decode(ids, options);
    const incomplete = whole.endsWith("\ufffd") && ids.length - context < mostPending;
    if (whole.length <= given.length || (incomplete && !force)) return "";
    const pending = ids.slice(context);
    // Bytes that were given out as no text may become part of one; what follows is then decoded by itself.
    const fresh = whole.startsWith(given)
      ? whole.slice(given.length)
      : tokenizer.decode(pending, options);
    ids = pending;
    context = ids.length;
    given = tokenizer.decode(ids, options);
    return fresh;
  };

  return {
    push(id) {
      ids.push(id);
      return take(false);
    },
    flush: () => take(true),
  };
}
