/** @file The token view: examples of an experiment's data as the model reads them, and what of them is trained. */
import { answers, nothing, tells } from "../channel.ts";
import type { Finding } from "../findings.ts";
import { count, object, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";

/** Tokens of one example; position i of every array is token i. */
export interface TokenExample {
  /** Row of the file, from 0. */
  readonly row: number;
  readonly ids: Int32Array;
  readonly texts: readonly string[];
  /** 1 where the loss counts the token's prediction. */
  readonly trained: Uint8Array;
  readonly label?: string;
}

export interface TokensView {
  readonly file: string;
  readonly examples: readonly TokenExample[];
  /** The first of them, and how many there are. */
  readonly from: number;
  readonly total: number;
  readonly maxLength: number;
  /** How many examples were cut or left out for their length. */
  readonly truncated: number;
  readonly dropped: number;
  /** Templates, columns, labels and lengths that are wrong. */
  readonly findings: readonly Finding[];
}

export const tokensPanel = {
  name: "tokens",
  subject: object<{ readonly file: string }>({ file: text }, {}),
  requests: {
    ...commonRequests,
    load: answers<TokensView>().to(
      object<{ readonly from: number; readonly count: number }>({ from: count, count }, {}),
    ),
    cancel: answers<null>().to(nothing),
  },
  events: {
    /** The experiment's file was saved: load. */
    changed: tells<null>(),
  },
} as const satisfies PanelContract;
