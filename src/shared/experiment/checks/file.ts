/** @file The file itself: its version. */
import { formatVersion } from "../fields/experiment-fields.ts";
import type { Check } from "./check.ts";

const version: Check = ({ version: written }, { says, document }) => {
  if (written !== formatVersion) {
    const message = `Version ${written} of the format is not known; this reads version ${formatVersion}.`;
    const remedy = "A newer Spectune may have written the file.";
    return [{ code: "version-unknown", severity: "error", path: "version", message, remedy }];
  }
  if (says("version")) return [];
  const start = document.at.source.file;
  const edits = [{ file: start, start: 0, end: 0, text: `version: ${formatVersion}\n` }];
  return [
    {
      code: "version-missing",
      severity: "info",
      path: "version",
      message: `The file does not say its version; it is read as version ${formatVersion}.`,
      remedy: `Add \`version: ${formatVersion}\`.`,
      fix: { title: `Add \`version: ${formatVersion}\``, edits },
    },
  ];
};

export const fileChecks: readonly Check[] = [version];
