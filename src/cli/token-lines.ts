/** @file Examples as tokens on the console: what is trained on stands in brackets. */
import type { ViewedExample } from "../engine/data/token-view.ts";

/** One example a block: `text` of each token, trained ones as `[text]`, with line breaks shown. */
export function tokenLines(examples: readonly ViewedExample[]): string {
  const blocks = examples.map(({ row, tokens, label }) => {
    const text = tokens
      .map(({ text: token, trained }) => (trained ? `[${visible(token)}]` : visible(token)))
      .join("│");
    const end = label === undefined ? "" : `\n  label ${label}`;
    return `row ${row + 1} (${tokens.length} tokens, ${tokens.filter(({ trained }) => trained).length} trained)\n  ${text}${end}\n`;
  });
  return `first examples, [trained on]\n${blocks.join("")}`;
}

function visible(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}
