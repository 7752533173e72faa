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

async function readOrRefuse<T>(file: string, read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new UserError({
      code: "malformed-data",
      message: `The Parquet file cannot be read: ${messageOf(cause)}.`,
      place: { file },
      remedy: "Write the file again; it may be cut short.",
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
