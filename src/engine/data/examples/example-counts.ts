/** @file What became of the rows, in numbers and in words. */
import type { Finding } from "../../../shared/findings.ts";
import type { ExampleContext, ExampleSettings } from "./example-settings.ts";
import type { SettledForm } from "./settle-form.ts";

export interface ExampleCounts {
  readonly rows: number;
  /** Rows that became examples. */
  readonly examples: number;
  readonly tokens: number;
  /** Tokens that are the target of some position; of labelled examples, one each. */
  readonly trainedTokens: number;
  /** Tokens of the longest example. */
  readonly longest: number;
  /** Rows longer than `max_length`: cut or left out, as `too_long` says. */
  readonly tooLong: number;
  /** Rows without any token, left out. */
  readonly empty: number;
  /** Rows in which nothing is trained on, left out. */
  readonly untrained: number;
  /** Rows in which one token holds the end of the prompt and the beginning of the completion. */
  readonly mergedBoundaries: number;
}

/** Warnings about rows that were cut or left out. */
export function describeCounts(
  counts: ExampleCounts,
  settings: ExampleSettings,
  { file, tokenizer, askedLength }: ExampleContext,
  form: SettledForm,
): readonly Finding[] {
  const place = { file };
  const of = (count: number): string => `${count} of ${counts.rows} rows`;
  const findings: Finding[] = [];
  const warn = (code: string, message: string, remedy: string): void => {
    findings.push({ code, severity: "warning", message, remedy, place });
  };
  const most = settings.max_length;
  const byModel =
    askedLength === undefined
      ? ""
      : `, which is all that the model reads (\`data.max_length\` ${askedLength} was lowered to it),`;
  const longer =
    askedLength === undefined
      ? "Raise `data.max_length`"
      : "Shorten the rows, or take a model that reads more tokens at once";
  if (counts.tooLong > 0)
    warn(
      "examples-too-long",
      `${of(counts.tooLong)} have more than ${most} tokens${byModel} and were ${settings.too_long === "drop" ? "left out" : "cut"}.`,
      `${longer}.`,
    );
  if (counts.empty > 0)
    warn("empty-examples", `${of(counts.empty)} are empty and were left out.`, "Take them out.");
  if (counts.untrained > 0)
    warn(
      "nothing-trained",
      `${of(counts.untrained)} have nothing to train on (\`loss_on: ${form.loss}\`) within ${most} tokens${byModel} and were left out.`,
      `${longer}, or set \`data.loss_on\` to \`all\`.`,
    );
  if (counts.mergedBoundaries > 0)
    warn(
      "merged-boundary",
      `In ${of(counts.mergedBoundaries)} one token holds the end of the prompt and the beginning of the completion; it is trained on.`,
      "Let the prompt end where a word ends: put the space at the beginning of the completion.",
    );
  if (form.writesEnd && tokenizer.special.eos === undefined)
    warn(
      "no-end-token",
      "The tokenizer names no end of sequence, so the model is not taught where to stop.",
      "Name `eos_token` in tokenizer_config.json.",
    );
  return findings;
}
