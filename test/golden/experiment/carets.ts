/** @file Findings as a person reads them: the source, with carets under each place. */
import type { ExperimentFinding } from "../../../src/shared/experiment/findings.ts";

/** The text with each finding below the line it is about; those about other files come last. */
export function withCarets(
  file: string,
  text: string,
  findings: readonly ExperimentFinding[],
): string {
  const lines = text.split("\n");
  const here = findings.filter((finding) => finding.place.file === file);
  const elsewhere = findings.filter((finding) => finding.place.file !== file);
  const shown = lines.flatMap((line, index) => [
    line,
    ...here
      .filter(({ place }) => place.line === index + 1)
      .map((finding) => `${carets(line, finding)} ${described(finding)}`),
  ]);
  const rest = elsewhere.map((finding) => `${finding.place.file}: ${described(finding)}`);
  return [...shown, ...rest].join("\n");
}

function carets(line: string, { place }: ExperimentFinding): string {
  const end = place.endLine === place.line ? place.endColumn : line.length + 1;
  const width = Math.max(1, end - place.column);
  // Tabs stay tabs, so that the carets stand under their place.
  const lead = line.slice(0, place.column - 1).replaceAll(/[^\t]/g, " ");
  return `${lead.padEnd(place.column - 1)}${"^".repeat(width)}`;
}

function described({ code, severity, message, remedy, fix, place }: ExperimentFinding): string {
  const field = place.field === undefined ? "" : ` [${place.field}]`;
  return [
    `${severity} ${code}${field}: ${message}`,
    remedy,
    fix === undefined ? "" : `(fix: ${fix.title})`,
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}
