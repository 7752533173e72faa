/** @file A version of the format that this code does not know. */
import { formatVersion } from "../fields/experiment-fields.ts";
import type { Check } from "./check.ts";

export const versionUnknown: Check = {
  code: "version-unknown",
  severity: "error",
  doc: "The file is of a version of the format that this program cannot read.",
  find: ({ version }) =>
    version === formatVersion
      ? []
      : [
          {
            path: "version",
            message: `Version ${version} of the format is not known; this reads version ${formatVersion}.`,
            remedy: "A newer Spectune may have written the file.",
          },
        ],
};
