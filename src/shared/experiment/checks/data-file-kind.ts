/** @file A data file of a kind that is not read. */
import type { Check } from "./check.ts";
import { dataFiles } from "./data-files.ts";

export const dataFileKind: Check = {
  code: "data-file-kind",
  severity: "error",
  doc: "Data are read from .jsonl, .ndjson, .csv, .parquet and .txt files.",
  find: (experiment) =>
    dataFiles(experiment).flatMap(({ path, file }) => {
      if (/\.(?:jsonl|ndjson|csv|parquet|txt)$/i.test(file)) return [];
      const extension = /\.[\w-]+$/.exec(file)?.[0];
      return [
        {
          path,
          message: `A data file of the kind \`${extension ?? "no extension"}\` is not known.`,
          remedy:
            extension === ".json"
              ? "Write one object on each line and name the file .jsonl."
              : "Use .jsonl, .csv, .parquet or .txt.",
        },
      ];
    }),
};
