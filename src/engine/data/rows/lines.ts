/** @file The lines of a UTF-8 file of any size, read in blocks. */
import { open, stat } from "node:fs/promises";
import type { OtherEncoding } from "../../../shared/encoding.ts";
import { decodeUtf8, narrowEncodingOf, wideEncodingOf } from "../../../shared/encoding.ts";
import { UserError, messageOf } from "../../../shared/errors.ts";

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line break (LF or CRLF) and without a byte-order mark. */
  readonly text: string;
}

const blockBytes = 1 << 20;
/** A longer line is no example; JavaScript's strings end at 512 Mi characters. */
const longestLine = 1 << 28;

/** Yields the lines of a file; a last line without a break counts, an empty one after the last break does not. */
export async function* readLines(file: string): AsyncGenerator<Line> {
  const handle = await openFile(file);
  try {
    const block = Buffer.alloc(blockBytes);
    let parts: Buffer[] = [];
    let pending = 0;
    let number = 0;
    const line = (last: Buffer): Line => {
      number += 1;
      const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
      parts = [];
      pending = 0;
      return { number, text: decode(bytes, number, file) };
    };
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, blockBytes, null);
      if (bytesRead === 0) break;
      if (number === 0 && pending === 0) refuseWide(block.subarray(0, bytesRead), file);
      let start = 0;
      for (;;) {
        const end = block.indexOf(10, start);
        if (end < 0 || end >= bytesRead) break;
        yield line(block.subarray(start, end));
        start = end + 1;
      }
      if (start < bytesRead) {
        parts.push(Buffer.from(block.subarray(start, bytesRead)));
        pending += bytesRead - start;
      }
      if (pending > longestLine)
        throw new UserError({
          code: "line-too-long",
          message: `The line is longer than ${longestLine / 2 ** 20} MiB.`,
          place: { file, line: number + 1 },
          remedy: "Write one example on each line.",
        });
    }
    if (pending > 0) yield line(Buffer.alloc(0));
  } finally {
    await handle.close();
  }
}

/** Opens a file to read, or says why not. */
export async function openFile(file: string): ReturnType<typeof open> {
  try {
    // Asked before it is opened: a pipe opens only when somebody writes.
    if (!(await stat(file)).isFile()) throw new Error("it is no file");
    return await open(file, "r");
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): UserError {
  const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  return new UserError({
    code: missing ? "missing-data-file" : "unreadable-data-file",
    message: missing
      ? `There is no data file ${file}.`
      : `The data file cannot be read: ${messageOf(cause)}.`,
    place: { file },
    // It may come from an experiment or from the command line; the message names it in full.
    remedy: missing ? "Check the path." : "Check the path, and that the file may be read.",
    cause,
  });
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Buffer, number: number, file: string): string {
  const length = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
  try {
    const text = decoder.decode(bytes.subarray(0, length));
    return number === 1 && text.startsWith("\ufeff") ? text.slice(1) : text;
  } catch (cause) {
    throw notUtf8(file, narrowEncodingOf(bytes), bytes, number, cause);
  }
}

/** Refuses a file whose first bytes are those of UTF-16 or UTF-32. */
export function refuseWide(start: Uint8Array, file: string): void {
  const wide = wideEncodingOf(start);
  if (wide === undefined) return;
  throw new UserError({
    code: "not-utf8",
    message: `The file is ${wide.message}.`,
    place: { file },
    remedy: wide.remedy,
  });
}

/** The refusal of a line, or of what begins with `number`, whose `bytes` are no UTF-8. */
export function notUtf8(
  file: string,
  { message, remedy, offset }: OtherEncoding,
  bytes: Uint8Array,
  number: number,
  cause?: unknown,
): UserError {
  const before = decodeUtf8(bytes.subarray(0, offset));
  const column = typeof before === "string" ? { column: before.length + 1 } : {};
  return new UserError({
    code: "not-utf8",
    message: `The line is ${message}.`,
    place: { file, line: number, ...column },
    remedy,
    cause,
  });
}
