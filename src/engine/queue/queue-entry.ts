/** @file One entry of the queue: an experiment as it was when it was added, and what became of it. */
import type { Outcome } from "../../shared/protocol.ts";
import { count, isProblem, object, oneOf, parseJson, real, text } from "../../shared/wire.ts";
import type { SweepFailure } from "../sweeps/sweep-record.ts";

const entryVersion = 1;

export interface QueueEntry {
  readonly version: number;
  readonly name: string;
  /** The experiment file's own path, for people. */
  readonly file: string;
  /** Folder that the document's paths are relative to. */
  readonly folder: string;
  /** The experiment's `run.device`: each is served by one process at a time. */
  readonly device: string;
  /** Milliseconds since 1970. */
  readonly added: number;
  /** What the files said when it was added, merged, as YAML: later changes of the file do not count. */
  readonly document: string;
  /** Once it has begun: the name of its sweep's folder, or of its run's. */
  readonly sweep?: string;
  readonly run?: string;
  /** How it ended. */
  readonly outcome?: Outcome | "cancelled";
  readonly error?: SweepFailure;
}

/** What {@link addEntry} is given. */
export type NewEntry = Pick<
  QueueEntry,
  "name" | "file" | "folder" | "device" | "document" | "added"
>;

export function newEntry(entry: NewEntry): QueueEntry {
  return { version: entryVersion, ...entry };
}

export function encodeEntry(entry: QueueEntry): string {
  return `${JSON.stringify(entry, undefined, 1)}\n`;
}

/** The entry of a file's text, `undefined` where it is none. */
export function decodeEntry(written: string): QueueEntry | undefined {
  const decoded = entry(parseJson(written), "");
  return isProblem(decoded) || decoded.version > entryVersion ? undefined : decoded;
}

const entry = object<QueueEntry>(
  {
    version: count,
    name: text,
    file: text,
    folder: text,
    device: text,
    added: real,
    document: text,
  },
  {
    sweep: text,
    run: text,
    outcome: oneOf("finished", "stopped", "failed", "cancelled"),
    error: object<SweepFailure>({ code: text, message: text }, {}),
  },
);
