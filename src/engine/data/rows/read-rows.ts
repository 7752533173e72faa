/** @file Rows of a data file, whatever its kind. */
import { extname } from "node:path";
import { UserError } from "../../../shared/errors.ts";
import { readCsvRows } from "./csv-rows.ts";
import { readJsonRows } from "./json-rows.ts";
import { readParquetRows } from "./parquet-rows.ts";
import type { Row } from "./row.ts";
import { readTextRows } from "./text-rows.ts";

type Reader = (file: string) => AsyncGenerator<Row>;

const readers: Readonly<Record<string, Reader>> = {
  ".jsonl": readJsonRows,
  ".ndjson": readJsonRows,
  ".csv": readCsvRows,
  ".parquet": readParquetRows,
  ".txt": readTextRows,
};

/** Yields the rows of a `.jsonl`, `.csv`, `.parquet` or `.txt` file; throws a UserError with file and line. */
export function readRows(file: string): AsyncGenerator<Row> {
  const extension = extname(file).toLowerCase();
  const reader = readers[extension];
  if (reader !== undefined) return reader(file);
  throw new UserError({
    code: "unknown-data-file",
    message: `A data file of the kind \`${extension || "no extension"}\` is not known.`,
    place: { file },
    remedy:
      extension === ".json"
        ? "Write one object on each line and name the file .jsonl."
        : "Use .jsonl, .csv, .parquet or .txt.",
  });
}
