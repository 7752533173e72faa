/** @file One thing that can be written, and what suggestions are made from. */
import type { Path } from "../../../src/shared/experiment/tree.ts";
import type { Analysis } from "../analysis.ts";
import type { Cursor } from "../cursor.ts";

export const suggestionKinds = [
  "field",
  "value",
  "variant",
  "file",
  "folder",
  "model",
  "module",
  "column",
  "expression",
  "sketch",
  "code",
] as const;

export type SuggestionKind = (typeof suggestionKinds)[number];

export interface Suggestion {
  readonly label: string;
  readonly kind: SuggestionKind;
  /** The text that is written; with `$1` and `${1:…}` where `snippet` says so. */
  readonly insert: string;
  readonly snippet?: true;
  /** Beside the label, in a few words. */
  readonly detail?: string;
  /** Markdown. */
  readonly doc?: string;
  /** Smaller ones come first. */
  readonly rank?: number;
  /** Ask for suggestions again behind it. */
  readonly again?: true;
  /** Where what is replaced begins, if not where the word does. */
  readonly from?: number;
}

export interface CompletionContext {
  readonly analysis: Analysis;
  readonly cursor: Cursor;
  /** The cursor's path in canonical names. */
  readonly path: Path;
}
