/** @file Every code that a document can be marked with: severity, reason, and whether there is a fix. */
import { checks } from "../../src/shared/experiment/checks.ts";
import { readingCodes } from "../../src/shared/experiment/reading-codes.ts";
import type { Severity } from "../../src/shared/findings.ts";
import { factChecks } from "./checks.ts";

export interface CodeRow {
  readonly code: string;
  /** `undefined` where it depends on what is wrong. */
  readonly severity: Severity | undefined;
  readonly doc: string;
  /** What decides it: the text alone, the experiment, or the world around it. */
  readonly by: "text" | "experiment" | "world";
}

/** The service's own remarks about comments that silence others. */
const ownCodes = {
  "unknown-suppression": "A `spectune-ignore` comment names a code that does not exist.",
  "unused-suppression": "A `spectune-ignore` comment silences nothing any more.",
} as const;

export const codes: readonly CodeRow[] = [
  ...Object.entries(readingCodes).map(([code, doc]): CodeRow => ({
    code,
    doc,
    severity: undefined,
    by: "text",
  })),
  ...Object.entries(ownCodes).map(([code, doc]): CodeRow => ({
    code,
    doc,
    severity: "info",
    by: "text",
  })),
  ...checks.map(({ code, severity, doc }): CodeRow => ({ code, severity, doc, by: "experiment" })),
  ...factChecks.map(({ code, severity, doc }): CodeRow => ({ code, severity, doc, by: "world" })),
];

const reading: ReadonlySet<string> = new Set(Object.keys(readingCodes));

/** Whether a comment may silence it: not where the text itself cannot be read or a field is wrong. */
export function canBeSilenced(code: string, severity: Severity): boolean {
  return severity !== "error" || !reading.has(code);
}

/** The table of all checks, as Markdown. */
export function checkTable(): string {
  const by = (which: CodeRow["by"]) =>
    codes
      .filter((row) => row.by === which)
      .toSorted((a, b) => (a.code < b.code ? -1 : 1))
      .map(({ code, severity, doc }) => `| \`${code}\` | ${severity ?? "varies"} | ${doc} |`);
  const table = (title: string, intro: string, which: CodeRow["by"]) =>
    [
      `## ${title}`,
      "",
      intro,
      "",
      "| code | severity | why |",
      "|---|---|---|",
      ...by(which),
      "",
    ].join("\n");
  return [
    "# Checks",
    "",
    "Made from the checks themselves by `npm run docs`. An editor shows them while one types; `spectune check` says the same.",
    "",
    "A comment silences a check for its line, or, on a line of its own, for the next one: `# spectune-ignore: few-steps`. For the whole file: `# spectune-ignore-file: few-steps`. The setting `spectune.checks.severity` gives a code another severity, or `off`. What keeps the file from being read cannot be silenced.",
    "",
    table(
      "The experiment",
      "What contradicts itself, has no effect, or cannot mean well.",
      "experiment",
    ),
    table(
      "The world around it",
      "Against the model's headers, the data, adapters and the machine.",
      "world",
    ),
    table("The text", "Fields, types, bounds, names.", "text"),
  ].join("\n");
}
