/** @file Rows of a CSV file: a header, then one record for each row, quoted as RFC 4180 says. */
import { CsvError, parse } from "csv-parse";
import { invariant, UserError, type Place } from "../../../shared/errors.ts";
import { openFile } from "./lines.ts";
import type { Row } from "./row.ts";

/** Yields the rows; every value is text. A record with more or fewer fields than the header is refused. */
export async function* readCsvRows(file: string): AsyncGenerator<Row> {
  const handle = await openFile(file);
  const bytes = handle.createReadStream();
  const lines = lineFinder();
  /** Where the last record ends that the parser has read, ahead of those that were asked for. */
  let parsed = 0;
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    record_delimiter: ["\r\n", "\n"],
    on_record: (record: string[], { bytes: end }) => {
      parsed = end;
      return record;
    },
  });
  bytes.on("data", (block) => lines.see(Buffer.from(block)));
  bytes.on("error", (error) => parser.destroy(error));
  let header: readonly string[] | undefined;
  let index = 0;
  let end = 0;
  try {
    for await (const entry of bytes.pipe(parser)) {
      const { record, info } = checkedEntry(entry);
      const place = { file, line: lines.after(end) };
      end = info.bytes;
      if (header === undefined) {
        header = checkedHeader(record, file);
        continue;
      }
      if (record.length !== header.length)
        throw malformed(
          `The record has ${record.length} fields, the header ${header.length}.`,
          place,
        );
      const values = Object.fromEntries(header.map((name, field) => [name, record[field] ?? ""]));
      yield { index, values, place };
      index += 1;
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const place = { file, line: lines.after(parsed) };
    throw malformed(`The record is malformed: ${cause.message}.`, place, cause);
  } finally {
    bytes.destroy();
    await handle.close().catch(() => undefined);
  }
}

function malformed(message: string, place: Place, cause?: unknown): UserError {
  return new UserError({
    code: "malformed-data",
    message,
    place,
    remedy:
      "Give each record as many fields as the header, and put quotes around text with commas or breaks.",
    cause,
  });
}

/** Tells lines from bytes: the parser's own count of lines is off where a quoted field holds CRLF. */
function lineFinder(): {
  see(block: Buffer): void;
  /** The line of the first byte from `start` on that is no line break; ask with growing starts. */
  after(start: number): number;
} {
  let seen = 0;
  let returned = false;
  let line = 1;
  /** Places of line feeds that `after` has not passed, and whether a carriage return stands before. */
  let breaks: { readonly at: number; readonly crlf: boolean }[] = [];
  return {
    see(block) {
      for (let at = block.indexOf(10); at >= 0; at = block.indexOf(10, at + 1)) {
        const crlf = at === 0 ? returned : block[at - 1] === 13;
        breaks.push({ at: seen + at, crlf });
      }
      returned = block.at(-1) === 13;
      seen += block.length;
    },
    after(start) {
      let from = start;
      let passed = 0;
      for (const { at, crlf } of breaks) {
        if (at > from + (crlf ? 1 : 0)) break;
        if (at >= from) from = at + 1;
        passed += 1;
      }
      breaks = breaks.slice(passed);
      line += passed;
      return line;
    },
  };
}

function checkedEntry(entry: unknown): { record: readonly string[]; info: { bytes: number } } {
  invariant(isEntry(entry), "csv-parse gives records with info");
  return entry;
}

function isEntry(value: unknown): value is { record: readonly string[]; info: { bytes: number } } {
  return typeof value === "object" && value !== null && "record" in value && "info" in value;
}

function checkedHeader(header: readonly string[], file: string): readonly string[] {
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice === undefined) return header;
  throw new UserError({
    code: "malformed-data",
    message: `The header names the column \`${twice}\` twice.`,
    place: { file, line: 1 },
    remedy: "Give each column a name of its own.",
  });
}
