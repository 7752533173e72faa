/** @file A file that does not say the version of its format. */
import { formatVersion } from "../fields/experiment-fields.ts";
import type { Check } from "./check.ts";

export const versionMissing: Check = {
  code: "version-missing",
  severity: "info",
  doc: "Without its version a file may mean something else to a later program.",
  find(_, { says, document }) {
    if (says("version")) return [];
    const { file, text: before } = document.at.source;
    const begin = before.startsWith("\ufeff") ? 1 : 0;
    const text = `version: ${formatVersion}`;
    const edits = [{ file, start: begin, end: begin, text: `${text}\n` }];
    return [
      {
        path: "version",
        message: `The file does not say its version; it is read as version ${formatVersion}.`,
        remedy: `Add \`${text}\`.`,
        fix: { title: `Add \`${text}\``, edits },
      },
    ];
  },
};
