/** @file Rows of a Parquet file, a row group at a time. */
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { UserError, messageOf } from "../../../shared/errors.ts";
import { openFile } from "./lines.ts";
import type { Row } from "./row.ts";

/** Rows decoded at a time: a row group, or a part of one that is larger than any writer's default. */
const rowsAtATime = 1 << 18;

/** Yields the rows; 64-bit integers become numbers where these are exact, else text. */
export async function* readParquetRows(file: string): AsyncGenerator<Row> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    const buffer: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        const length = Math.max(0, Math.min(end, size) - start);
        const bytes = new ArrayBuffer(length);
        let done = 0;
        while (done < length) {
          const view = new Uint8Array(bytes, done);
          const { bytesRead } = await handle.read(view, 0, length - done, start + done);
          if (bytesRead === 0) throw new Error("the file is cut short");
          done += bytesRead;
        }
        return bytes;
      },
    };
    await checkEnds(file, buffer);
    const metadata = await readOrRefuse(file, () => parquetMetadataAsync(buffer));
    for (const [start, rowEnd] of parts(
      metadata.row_groups.map((group) => Number(group.num_rows)),
    )) {
      const rows: readonly Record<string, unknown>[] = await readOrRefuse(file, async () => {
        const read = await parquetReadObjects({
          file: buffer,
          metadata,
          compressors,
          rowStart: start,
          rowEnd,
        });
        if (read.length !== rowEnd - start) throw new Error("it has fewer rows than it says");
        return read;
      });
      for (const [offset, values] of rows.entries())
        yield { index: start + offset, values: plainRecord(values), place: { file } };
    }
  } finally {
    await handle.close();
  }
}

function* parts(groups: readonly number[]): Iterable<readonly [start: number, end: number]> {
  let groupStart = 0;
  for (const size of groups) {
    for (let start = groupStart; start < groupStart + size; start += rowsAtATime)
      yield [start, Math.min(groupStart + size, start + rowsAtATime)];
    groupStart += size;
  }
}

/** A Parquet file begins and ends with these letters. */
const mark = "PAR1";
/** With the marks, the length of what stands at the end. */
const smallest = 12;

/** Tells what is no Parquet file, or only the beginning of one, before anything is made of it. */
async function checkEnds(file: string, buffer: AsyncBuffer): Promise<void> {
  const { byteLength } = buffer;
  const refuse = (message: string, remedy: string): UserError =>
    new UserError({ code: "malformed-data", message, place: { file }, remedy });
  if (byteLength === 0) throw refuse("The file is empty.", "Write it again.");
  const letters = async (start: number): Promise<string> =>
    new TextDecoder("latin1").decode(await buffer.slice(start, start + mark.length));
  if (byteLength < smallest || (await letters(0)) !== mark)
    throw refuse(
      `The file is no Parquet file: it does not begin with the letters ${mark}.`,
      "Check that it is the file that is meant; a data file's name ends in its kind: .jsonl, .csv, .parquet or .txt.",
    );
  if ((await letters(byteLength - mark.length)) !== mark)
    throw refuse(
      `The Parquet file does not end with the letters ${mark}: it is cut short.`,
      "Copy it again, or write it again.",
    );
}

async function readOrRefuse<T>(file: string, read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const [what] =
      /unsupported (?:compression codec|encoding|page type|type): \S+/.exec(messageOf(cause)) ?? [];
    throw new UserError({
      code: "malformed-data",
      message:
        what === undefined
          ? "The Parquet file is damaged: what it says of its columns and what it holds do not agree."
          : `The Parquet file cannot be read here: ${what.replace(":", "")}.`,
      place: { file },
      remedy:
        what === undefined
          ? "Copy it again, or write it again."
          : "Write it again with pandas or pyarrow, as they do by default.",
      cause,
    });
  }
}

function plainRecord(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint")
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  )
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  return value;
}
