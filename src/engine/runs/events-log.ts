/** @file `events.ndjson`: appended by the run's one writer, read by anybody while it grows. */
import {
  closeSync,
  fdatasync,
  fstatSync,
  truncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Checked, Finding } from "../../shared/findings.ts";
import { createLineSplitter, maxLineBytes } from "../../shared/lines.ts";
import { decodeEvent, encodeEvent } from "../../shared/protocol-wire.ts";
import type { EventBody, RunEvent } from "../../shared/protocol.ts";
import { unlessMissing, writeError } from "./file-errors.ts";

export function eventsFile(runFolder: string): string {
  return join(runFolder, "events.ndjson");
}

export interface EventsLog {
  /**
   * Stamps the event and appends its line with one write; it is in the file when this returns. A
   * {@link UserError} where the disk is full: then no part of the line is left.
   */
  readonly append: (body: EventBody) => RunEvent;
  /**
   * Everything appended so far is on the disk when this resolves. The log does so by itself behind
   * checkpoints and the end; await it before a checkpoint takes its name, so that a checkpoint
   * never survives the steps that led to it.
   */
  readonly flush: () => Promise<void>;
  /** Flushes and closes. */
  readonly close: () => Promise<void>;
}

export interface EventsLogOptions {
  readonly attempt: number;
  readonly now: () => number;
  /** Throws where the run may no longer be written (see `Ownership.check`). */
  readonly check: () => void;
}

/** Opens the log of an owned run for appending; a line torn by a kill is cut off first. */
export function openEventsLog(runFolder: string, options: EventsLogOptions): EventsLog {
  const path = eventsFile(runFolder);
  const file = explaining(path, () => openSync(path, "a+"));
  let length = explaining(path, () => cutTornLine(path, file));
  let torn = false;
  let flushing: Promise<void> = Promise.resolve();
  let closed = false;

  const flush = () => {
    const before = flushing;
    flushing = (async () => {
      await before.catch(() => undefined);
      if (closed) return;
      try {
        await promisify(fdatasync)(file);
      } catch (error) {
        throw writeError(error, path);
      }
    })();
    // Whoever awaits a later flush hears of a lasting failure; this one must not end the process.
    flushing.catch(() => undefined);
    return flushing;
  };

  return {
    append: (body) => {
      options.check();
      const event = { attempt: options.attempt, time: options.now(), ...body };
      const line = Buffer.from(encodeEvent(event));
      explaining(path, () => {
        if (torn) cutTo(path, file, length);
        torn = true;
        appendWhole(path, file, line, length);
        torn = false;
      });
      length += line.length;
      if (body.type === "checkpoint" || body.type === "ended") void flush();
      return event;
    },
    flush,
    close: async () => {
      if (closed) return;
      try {
        await flush();
      } finally {
        closed = true;
        closeSync(file);
      }
    },
  };
}

/** What reading found: how far whole lines reach, and remarks on lines that are no events. */
export interface ReadResult {
  /** Give it to the next call to go on behind what was read. */
  readonly offset: number;
  readonly findings: readonly Finding[];
}

/** More remarks than this on one file say nothing new. */
const mostFindings = 100;

/**
 * Hands each event from byte `from` on to `visit`, in the order written, in bounded memory. A torn
 * last line is a remark and is read again by the next call. A missing file has no events.
 */
export async function readEvents(
  runFolder: string,
  visit: (event: RunEvent) => void,
  from = 0,
): Promise<ReadResult> {
  const path = eventsFile(runFolder);
  const file = await unlessMissing(open(path, "r"));
  if (file === undefined) return { offset: from, findings: [] };
  const findings: Finding[] = [];
  const note = (finding: Finding) => {
    if (findings.length < mostFindings) findings.push(finding);
  };
  const splitter = createLineSplitter(from);
  let offset = from;
  let row = 0;
  try {
    for await (const chunk of chunks(file, from))
      for (const line of splitter.push(chunk)) {
        row += 1;
        const place = from === 0 ? { file: path, line: row } : { file: path };
        const { value, findings: remarks } = decodeEvent(line, place);
        remarks.forEach(note);
        if (value !== undefined) visit(value);
        offset = line.end;
      }
  } finally {
    await file.close();
  }
  if (splitter.pending() > 0)
    note({
      code: "torn-line",
      severity: "info",
      message: `The last ${splitter.pending()} bytes are a line that was not written to its end.`,
      place: { file: path },
    });
  return { offset, findings };
}

/** All events of a run as they stand; for large runs prefer {@link readEvents}. */
export async function loadEvents(runFolder: string): Promise<Checked<readonly RunEvent[]>> {
  const value: RunEvent[] = [];
  const { findings } = await readEvents(runFolder, (event) => value.push(event));
  return { value, findings };
}

/** The last event that can be read, from the file's end alone. */
export async function readLastEvent(runFolder: string): Promise<RunEvent | undefined> {
  const path = eventsFile(runFolder);
  const file = await unlessMissing(open(path, "r"));
  if (file === undefined) return undefined;
  try {
    // The longest line, and before it the newline from which on lines can be told.
    const from = Math.max(0, (await file.stat()).size - 2 * maxLineBytes);
    const splitter = createLineSplitter(from);
    let last: RunEvent | undefined;
    for await (const chunk of chunks(file, from))
      for (const line of splitter.push(chunk))
        last = decodeEvent(line, { file: path }).value ?? last;
    return last;
  } finally {
    await file.close();
  }
}

/** The first event that can be read, from the file's beginning alone. */
export async function readFirstEvent(runFolder: string): Promise<RunEvent | undefined> {
  const path = eventsFile(runFolder);
  const file = await unlessMissing(open(path, "r"));
  if (file === undefined) return undefined;
  try {
    const splitter = createLineSplitter(0);
    for await (const chunk of chunks(file, 0))
      for (const line of splitter.push(chunk)) {
        const { value } = decodeEvent(line, { file: path });
        if (value !== undefined) return value;
      }
    return undefined;
  } finally {
    await file.close();
  }
}

/** The file from `from` to its end, piece by piece; a piece is valid until the next is asked for. */
async function* chunks(file: FileHandle, from: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  for (let position = from; ;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Writes the line at the end of the file; where that fails, cuts the file back to `length`. */
function appendWhole(path: string, file: number, line: Uint8Array, length: number): void {
  try {
    // The system takes less than all only when the disk is full; the rest then fails.
    for (let done = 0; done < line.length;) done += writeSync(file, line, done);
  } catch (error) {
    cutTo(path, file, length);
    throw error;
  }
}

/** Cuts the file behind its last newline and returns its length. */
function cutTornLine(path: string, file: number): number {
  const length = endOfLastLine(file, fstatSync(file).size);
  cutTo(path, file, length);
  return length;
}

/** By name, because Windows does not cut through a file that is open for appending. */
function cutTo(path: string, file: number, length: number): void {
  if (fstatSync(file).size > length) truncateSync(path, length);
}

function endOfLastLine(file: number, size: number): number {
  const buffer = new Uint8Array(64 * 1024);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - buffer.length);
    const read = readSync(file, buffer, 0, end - start, start);
    const newline = buffer.subarray(0, read).lastIndexOf(10);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

function explaining<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw writeError(error, path);
  }
}
