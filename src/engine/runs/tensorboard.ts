/** @file TensorBoard event files, so that a run can be watched with the tool that people know. */
import { closeSync, fdatasync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EventBody, Metrics } from "../../shared/protocol.ts";
import { makeFolder } from "./atomic.ts";
import { crc32c } from "./crc32c.ts";
import { writeError } from "./file-errors.ts";

export interface TensorboardWriter {
  /** Appends the scalars of one step; `time` in milliseconds since 1970. */
  readonly scalars: (step: number, time: number, values: Metrics) => void;
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface TensorboardOptions {
  readonly host: string;
  readonly attempt: number;
  readonly time: number;
  /** The first step of a resumed attempt: TensorBoard drops what earlier files have from there on. */
  readonly restartAt?: number;
}

/** Begins an event file of its own in `folder`; every attempt has one, so none is ever repaired. */
export async function openTensorboard(
  folder: string,
  options: TensorboardOptions,
): Promise<TensorboardWriter> {
  const { host, attempt, time, restartAt } = options;
  const name = host.replaceAll(/[^\w.-]/g, "_");
  const seconds = String(Math.floor(time / 1000)).padStart(10, "0");
  const path = join(folder, `events.out.tfevents.${seconds}.${name}.${attempt}`);
  const refused = (error: unknown) => writeError(error, path);
  await makeFolder(folder);
  const file = explaining(() => openSync(path, "a"), refused);
  const append = (event: Uint8Array) => {
    const record = frame(event);
    explaining(() => {
      for (let done = 0; done < record.length;) done += writeSync(file, record, done);
    }, refused);
  };
  append(encodeVersion(time));
  if (restartAt !== undefined) append(encodeRestart(restartAt, time));
  const flush = async () => {
    try {
      await promisify(fdatasync)(file);
    } catch (error) {
      throw refused(error);
    }
  };
  return {
    scalars: (step, at, values) => {
      append(encodeScalars(step, at, values));
    },
    flush,
    close: async () => {
      try {
        await flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

/** What TensorBoard shows of an event: its step and named scalars; `undefined` where it shows none. */
export function scalarsOf(
  event: EventBody,
): { readonly step: number; readonly values: Metrics } | undefined {
  if (event.type === "step") {
    const { step, epoch, loss, lr, gradNorm, tokensPerSecond, memoryBytes, metrics } = event;
    const values = {
      "train/loss": loss,
      "train/learning_rate": lr,
      ...(gradNorm === undefined ? {} : { "train/grad_norm": gradNorm }),
      "train/epoch": epoch,
      "speed/tokens_per_second": tokensPerSecond,
      "memory/resident_bytes": memoryBytes,
      ...prefixed("train", metrics ?? {}),
    };
    return { step, values };
  }
  if (event.type === "eval")
    return { step: event.step, values: prefixed(event.split, event.metrics) };
  return undefined;
}

/** `Event { wall_time, file_version }`, the first record of a file. */
export function encodeVersion(time: number): Uint8Array {
  return concat(double(1, time / 1000), bytes(3, new TextEncoder().encode("brain.Event:2")));
}

/** `Event { wall_time, step, session_log { status: START } }`. */
export function encodeRestart(step: number, time: number): Uint8Array {
  return concat(double(1, time / 1000), varint(2, step), bytes(7, varint(1, 1)));
}

/** `Event { wall_time, step, summary { value { tag, simple_value } … } }`. */
export function encodeScalars(step: number, time: number, values: Metrics): Uint8Array {
  const summary = Object.entries(values).map(([tag, value]) =>
    bytes(1, concat(bytes(1, new TextEncoder().encode(tag)), float(2, value))),
  );
  return concat(double(1, time / 1000), varint(2, step), bytes(5, concat(...summary)));
}

/** TFRecord: length as uint64, its masked check sum, the data, its masked check sum; little endian. */
export function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return record;
}

/** Rotated and shifted, so that a check sum over data that holds check sums stays sound. */
function masked(sum: number): number {
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

// Protocol buffers: a field is its number and wire type (0 varint, 1 64-bit, 2 bytes, 5 32-bit), then the value.

/** A number that is 0 is left out, as the format's version 3 has it. */
function varint(field: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array(0) : concat(variable(field * 8), variable(value));
}

function double(field: number, value: number): Uint8Array {
  const content = new Uint8Array(8);
  new DataView(content.buffer).setFloat64(0, value, true);
  return concat(variable(field * 8 + 1), content);
}

function float(field: number, value: number): Uint8Array {
  const content = new Uint8Array(4);
  new DataView(content.buffer).setFloat32(0, value, true);
  return concat(variable(field * 8 + 5), content);
}

function bytes(field: number, content: Uint8Array): Uint8Array {
  return concat(variable(field * 8 + 2), variable(content.length), content);
}

/** Base 128, low digits first, the high bit set on all but the last. */
function variable(value: number): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) + 128);
  return Uint8Array.from([...digits, rest]);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function prefixed(group: string, metrics: Metrics): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [`${group}/${name}`, value]),
  );
}

function explaining<T>(work: () => T, refused: (error: unknown) => unknown): T {
  try {
    return work();
  } catch (error) {
    throw refused(error);
  }
}
