/** @file Rows of a CSV file: a header, then one record for each row, quoted as RFC 4180 says. */
import { CsvError, parse } from "csv-parse";
import { narrowEncodingOf } from "../../../shared/encoding.ts";
import { invariant, UserError, type Place } from "../../../shared/errors.ts";
import { notUtf8, openFile, refuseWide } from "./lines.ts";
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
  const check = encodingCheck(file);
  bytes.on("data", (chunk) => {
    const block = Buffer.from(chunk);
    lines.see(block);
    const wrong = check(block);
    if (wrong !== undefined) parser.destroy(wrong);
  });
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
          "Give each record as many fields as the header, and put quotes around text with commas or breaks.",
        );
      const values = Object.fromEntries(header.map((name, field) => [name, record[field] ?? ""]));
      yield { index, values, place };
      index += 1;
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const place = { file, line: lines.after(parsed) };
    const { what, remedy } = complaints.get(cause.code) ?? otherComplaint;
    throw malformed(`The record that begins here ${what}.`, place, remedy, cause);
  } finally {
    bytes.destroy();
    await handle.close().catch(() => undefined);
  }
}

/** What the parser objects to, by its code. */
const complaints: ReadonlyMap<string, { readonly what: string; readonly remedy: string }> = new Map(
  [
    [
      "CSV_QUOTE_NOT_CLOSED",
      {
        what: "opens a quote that nothing closes before the file ends",
        remedy: 'Close the quote; a quote within quotes is written twice: "say ""hello""".',
      },
    ],
    [
      "CSV_INVALID_CLOSING_QUOTE",
      {
        what: "has text behind a closing quote, where a comma or the line's end must stand",
        remedy: 'A quote within quotes is written twice: "say ""hello""".',
      },
    ],
    [
      "INVALID_OPENING_QUOTE",
      {
        what: "has a quote in the middle of a field that does not begin with one",
        remedy: 'Put the whole field into quotes and write those within it twice: "5"" pipe".',
      },
    ],
  ],
);

const otherComplaint = {
  what: "cannot be read",
  remedy: "Put quotes around text with commas, quotes or breaks.",
};

function malformed(message: string, place: Place, remedy: string, cause?: unknown): UserError {
  return new UserError({ code: "malformed-data", message, place, remedy, cause });
}

/** Looks at a file's bytes block by block; the refusal of those that are no UTF-8. */
function encodingCheck(file: string): (block: Buffer) => UserError | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  /** Of the line that a block begins in: its number, and its bytes so far. */
  let line = 1;
  let begun: Buffer[] = [];
  return (block) => {
    try {
      if (line === 1 && begun.length === 0) refuseWide(block, file);
      decoder.decode(block, { stream: true });
    } catch (cause) {
      if (cause instanceof UserError) return cause;
      return lineAtFault(Buffer.concat([...begun, block]), file, line);
    }
    const last = block.lastIndexOf(10);
    if (last >= 0) begun = [];
    for (let at = block.indexOf(10); at >= 0; at = block.indexOf(10, at + 1)) line += 1;
    begun.push(block.subarray(last + 1));
    return undefined;
  };
}

/** The refusal of the first line among `bytes` that is no UTF-8; the first of them has the number `line`. */
function lineAtFault(bytes: Buffer, file: string, line: number): UserError {
  const { offset } = narrowEncodingOf(bytes);
  const start = bytes.lastIndexOf(10, offset) + 1;
  const end = bytes.indexOf(10, offset);
  const own = bytes.subarray(start, end < 0 ? bytes.length : end);
  let number = line;
  for (let at = bytes.indexOf(10); at >= 0 && at < start; at = bytes.indexOf(10, at + 1))
    number += 1;
  return notUtf8(file, narrowEncodingOf(own), own, number);
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
