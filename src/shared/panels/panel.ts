/** @file What every web view has in common: a contract, what it shows, and what any of them may ask of its host. */
import type { Contract } from "../channel.ts";
import { answers, nothing } from "../channel.ts";
import type { Decoder } from "../wire.ts";
import { isProblem, object, oneOf, text } from "../wire.ts";

/** A web view's contract. */
export interface PanelContract extends Contract {
  /** The folder in `media/panels`, and the end of the view type. */
  readonly name: string;
  /** What it shows, which the web view keeps as its state, so that it is shown again after a reload. */
  readonly subject: Decoder<unknown>;
}

export type SubjectOf<P extends PanelContract> =
  P["subject"] extends Decoder<infer Subject> ? Subject : never;

/** What is written where a panel exports a figure or a table; a picture comes as its bytes. */
export interface SavedFile {
  /** With its ending: `loss.csv`. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

const content: Decoder<string | Uint8Array> = (value, path) =>
  value instanceof Uint8Array ? value : text(value, path);

/** Rows that each contract's `requests` begins with; the generic host answers them. */
export const commonRequests = {
  /** Asks the user where, and writes; `false` where that was cancelled. */
  save: answers<boolean>().to(object<SavedFile>({ name: text, content }, {})),
  /** Opens a file in an editor. */
  openFile: answers<null>().to(object<{ readonly file: string }>({ file: text }, {})),
  /** Runs one of the commands that act on a run. */
  runCommand: answers<null>().to(
    object<{ readonly command: PanelCommand; readonly run: string }>(
      {
        command: oneOf("spectune.stop", "spectune.resume", "spectune.revealRun"),
        run: text,
      },
      {},
    ),
  ),
  /** The page is drawn and listens. */
  ready: answers<null>().to(nothing),
} as const;

export type PanelCommand = "spectune.stop" | "spectune.resume" | "spectune.revealRun";

/** What a page is given as JSON in the element `boot`: all that must be there before the first message. */
export interface Boot {
  readonly panel: string;
  readonly subject: unknown;
  /** The editor's language, e.g. `de`. */
  readonly language: string;
  /** Texts in that language by the English ones. */
  readonly strings: Readonly<Record<string, string>>;
}

/** A list of run folders. */
export interface Runs {
  readonly runs: readonly string[];
}

/** A value or nothing where it does not decode: what an earlier version kept is not shown again. */
export function decoded<T>(decoder: Decoder<T>, value: unknown): T | undefined {
  const result = decoder(value, "");
  return isProblem(result) ? undefined : result;
}
