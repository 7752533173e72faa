/** @file Cuts calibration text into windows of equal length. */
import { UserError } from "../../shared/errors.ts";
import type { Examples } from "../data/examples/example-store.ts";
import type { Model } from "../models/architecture.ts";
import type { CalibrationBatch } from "../network/calibration.ts";

export interface WindowChoice {
  /** Windows. */
  readonly samples: number;
  /** Tokens of each. */
  readonly length: number;
  /** 0 takes the first ones; others draw among all. */
  readonly seed: number;
}

/** Tokens of a batch, nearly. */
const batchTokens = 2048;

/**
 * The tokens of all examples one after the other, cut into windows of `length`, in batches of equal shape. A
 * {@link UserError} that says how much is needed where there is less than `samples` windows.
 */
export function calibrationWindows(
  { ids, starts, count }: Examples,
  model: Model,
  { samples, length, seed }: WindowChoice,
  file: string,
): readonly CalibrationBatch[] {
  const tokens = starts[count] ?? 0;
  const there = Math.floor(tokens / length);
  if (there < samples) throw tooShort(file, tokens, { samples, length, seed });
  const chosen = seed === 0 ? firstOf(samples) : drawn(there, samples, seed);
  const perBatch = Math.max(1, Math.floor(batchTokens / length));
  const batches: CalibrationBatch[] = [];
  for (let first = 0; first < samples; first += perBatch) {
    const windows = chosen.slice(first, first + perBatch);
    const taken = new Int32Array(windows.length * length);
    for (const [row, window] of windows.entries())
      taken.set(ids.subarray(window * length, (window + 1) * length), row * length);
    batches.push(windowBatch(taken, windows.length, length, model));
  }
  return batches;
}

function windowBatch(
  ids: Int32Array,
  batch: number,
  length: number,
  { firstPosition }: Model,
): CalibrationBatch {
  return {
    batch: {
      batch,
      length,
      ids,
      positions: Int32Array.from(ids, (_, place) => firstPosition + (place % length)),
      types: new Int32Array(ids.length),
      ownPositions: false,
      rows: new Int32Array(0),
      targets: { kind: "classes", labels: new Int32Array(0) },
    },
    counted: new Uint8Array(ids.length).fill(1),
  };
}

function firstOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** `count` of `of` windows in ascending order, by a generator of 32 bits. */
function drawn(of: number, count: number, seed: number): readonly number[] {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  const all = Uint32Array.from({ length: of }, (_, index) => index);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(next() * (of - i));
    [all[i], all[other]] = [all[other] ?? 0, all[i] ?? 0];
  }
  return [...all.subarray(0, count)].toSorted((a, b) => a - b);
}

function tooShort(file: string, tokens: number, { samples, length }: WindowChoice): UserError {
  const fits = Math.floor(tokens / length);
  const smaller =
    fits > 0
      ? `or take what is there with --samples ${fits}`
      : tokens > 1
        ? `or shorter windows with --length ${tokens} --samples 1`
        : "";
  return new UserError({
    code: "calibration-too-short",
    message: `${file} holds ${tokens} tokens; ${samples} windows of ${length} need ${samples * length}.`,
    place: { file },
    remedy: `Give more text${smaller === "" ? "" : `, ${smaller}`}.`,
  });
}
