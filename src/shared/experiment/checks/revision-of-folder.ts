/** @file A revision of a folder. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const revisionOfFolder: Check = {
  code: "revision-of-folder",
  severity: "error",
  doc: "A revision is a branch, tag or commit of a hub id; a folder has none.",
  find: ({ model: { id, revision } }, { document }) =>
    revision !== null && /^(?:[./~\\]|[A-Za-z]:[/\\])/.test(id)
      ? [
          {
            path: "model.revision",
            message: `\`${id}\` is a folder, which has no revision.`,
            remedy: "Remove `revision`.",
            ...removed(document, ["model", "revision"]),
          },
        ]
      : [],
};
