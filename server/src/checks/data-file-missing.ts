/** @file A data file that is not there. */
import { dataFiles } from "../../../src/shared/experiment/checks/data-files.ts";
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import { folderOf } from "../../../src/shared/experiment/paths.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";

export const dataFileMissing: FactCheck = {
  code: "data-file-missing",
  severity: "error",
  doc: "Paths are relative to the experiment file. Every file is looked for before the run begins, the test data too.",
  find: (ctx) =>
    dataFiles(ctx.experiment).flatMap(({ path, file }) => {
      const full = ctx.resolve(file);
      const entries = ctx.facts.folder(folderOf(full));
      if (entries.state === "pending") return [];
      const names = (valueOf(entries) ?? [])
        .filter(({ kind }) => kind === "file")
        .map(({ name }) => name);
      const name = full.slice(full.lastIndexOf("/") + 1);
      if (names.includes(name)) return [];
      const near = nearest(name, names);
      const meant =
        near === undefined ? undefined : file.slice(0, file.length - name.length) + near;
      return [
        {
          path,
          message: `There is no file \`${file}\`.`,
          remedy:
            meant === undefined
              ? "Check the path; it is relative to the experiment file."
              : `Did you mean \`${meant}\`?`,
          ...(meant !== undefined && { fixes: writing(ctx, path, meant) }),
        },
      ];
    }),
};
