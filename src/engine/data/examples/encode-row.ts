/** @file One row to ids: what each format of data makes of it. */
import { at } from "../../../shared/errors.ts";
import { columnText, columnValue, type Row } from "../rows/row.ts";
import type { EncodeOptions, Encoding, Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatTemplate, Message } from "./chat-template.ts";
import { readMessages, renderMessages, type MarkedText } from "./messages.ts";
import type { Template } from "./template.ts";

/** A row's ids; `trained` says for each whether the loss is computed on it. */
export interface EncodedRow {
  readonly ids: readonly number[];
  readonly trained: Uint8Array;
  readonly typeIds?: readonly number[];
  /** A token holds the end of the prompt and the beginning of the completion. */
  readonly mergedBoundary?: boolean;
}

export interface RowEncoder {
  /** `first`: only so many ids are wanted; of a longer row, more than these may be left out. */
  encode(row: Row, first?: number): EncodedRow;
  /** The row in at most `length` ids. */
  cut(row: Row, encoded: EncodedRow, length: number): EncodedRow;
}

/** `text`: the column's text and the end of sequence; everything is trained on. */
export function textEncoder(tokenizer: Tokenizer, column: string): RowEncoder {
  return cutAtEnd((row, first) => {
    const { ids } = tokenizer.encode(withEnd(columnText(row, column), tokenizer), { first });
    return { ids, trained: new Uint8Array(ids.length).fill(1) };
  });
}

/**
 * `prompt-completion`: the prompt, the completion and the end of sequence as one text. With the loss on the
 * completion, a token is trained on that reaches past the end of the prompt.
 */
export function promptEncoder(
  tokenizer: Tokenizer,
  options: {
    readonly prompt: Template;
    readonly completion: string;
    readonly loss: "completion" | "all";
  },
): RowEncoder {
  return cutAtEnd((row, first) => {
    const prompt = options.prompt(row);
    const whole = withEnd(prompt + columnText(row, options.completion), tokenizer);
    if (options.loss === "all") {
      const { ids } = tokenizer.encode(whole, { first });
      return { ids, trained: new Uint8Array(ids.length).fill(1) };
    }
    const { ids, offsets } = tokenizer.encode(whole, { offsets: true, first });
    const trained = new Uint8Array(ids.length);
    let begin = 0;
    while (begin < ids.length && at(offsets, 2 * begin + 1) <= prompt.length) begin += 1;
    trained.fill(1, begin);
    const mergedBoundary = begin < ids.length && at(offsets, 2 * begin) < prompt.length;
    return { ids, trained, mergedBoundary };
  });
}

/** `messages`: the conversation through the chat template, which writes every special token itself. */
export function messageEncoder(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  options: { readonly column: string; readonly loss: "assistant" | "completion" | "all" },
): RowEncoder {
  return cutAtEnd((row, first) => {
    const messages = readMessages(row, options.column);
    return encodeMarked(tokenizer, renderMessages(row, messages, template, options.loss), first);
  });
}

/** `prompt-completion` through a chat template: the prompt as the user's turn, the completion as the assistant's. */
export function chatPromptEncoder(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  options: {
    readonly prompt: string;
    readonly completion: string;
    readonly loss: "completion" | "all";
  },
): RowEncoder {
  const turns = (row: Row, column: string, role: string): readonly Message[] =>
    Array.isArray(columnValue(row, column))
      ? readMessages(row, column)
      : [{ role, content: columnText(row, column) }];
  return cutAtEnd((row, first) => {
    const messages = [
      ...turns(row, options.prompt, "user"),
      ...turns(row, options.completion, "assistant"),
    ];
    return encodeMarked(tokenizer, renderMessages(row, messages, template, options.loss), first);
  });
}

/** `labelled`: one text or two between the tokenizer's special tokens, which stay when texts are cut. */
export function labelledEncoder(
  tokenizer: Tokenizer,
  options: { readonly text: string; readonly pair: string | null },
): RowEncoder {
  const encode = (row: Row, limits: Pick<EncodeOptions, "first" | "maxLength">): EncodedRow => {
    const pair = options.pair === null ? undefined : columnText(row, options.pair);
    const text = columnText(row, options.text);
    const { ids, typeIds } = tokenizer.encode(text, { pair, ...limits });
    return { ids, typeIds, trained: new Uint8Array(ids.length) };
  };
  return {
    encode: (row, first) => encode(row, { first }),
    cut: (row, _, maxLength) => encode(row, { maxLength }),
  };
}

/** An encoder whose rows lose their ends, as TRL's `keep_start` has it. */
function cutAtEnd(encode: RowEncoder["encode"]): RowEncoder {
  return {
    encode,
    cut: (_, { ids, trained }, length) => ({
      ids: ids.slice(0, length),
      trained: trained.slice(0, length),
    }),
  };
}

/** Ids of a text in which some stretches are trained on: every token that touches one. */
function encodeMarked(
  tokenizer: Tokenizer,
  { text, trained: spans }: MarkedText,
  first: number | undefined,
): EncodedRow {
  const offsets = spans !== "all";
  const encoding = tokenizer.encode(text, { addSpecialTokens: false, offsets, first });
  const trained = new Uint8Array(encoding.ids.length);
  if (spans === "all") return { ids: encoding.ids, trained: trained.fill(1) };
  for (const [start, end] of spans) markTouching(trained, encoding, start, end);
  return { ids: encoding.ids, trained };
}

function markTouching(
  trained: Uint8Array,
  { offsets }: Encoding,
  start: number,
  end: number,
): void {
  for (let index = 0; index < trained.length; index += 1)
    if (at(offsets, 2 * index + 1) > start && at(offsets, 2 * index) < end) trained[index] = 1;
}

/** TRL's rule: the end-of-sequence token is written after a text that does not have it yet. */
function withEnd(text: string, tokenizer: Tokenizer): string {
  const end = tokenizer.special.eos?.token ?? "";
  return text.endsWith(end) ? text : text + end;
}
