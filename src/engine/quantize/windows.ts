/** @file Cuts calibration text into sequences: rows of the data as they are where all fit, else windows over all of it. */
import { at, UserError } from "../../shared/errors.ts";
import { forbidden } from "../core/causal-mask.ts";
import type { Examples } from "../data/examples/example-store.ts";
import type { Model } from "../models/architecture.ts";
import type { CalibrationBatch } from "../network/calibration.ts";

export interface WindowChoice {
  /** Windows' worth of tokens: `samples` times `length` are taken. */
  readonly samples: number;
  /** Tokens of a sequence at most. */
  readonly length: number;
  /** 0 takes the first sequences; others draw among all. */
  readonly seed: number;
}

/** Tokens [from, to) of the examples. */
interface Sequence {
  readonly from: number;
  readonly to: number;
}

export interface CalibrationText {
  readonly calibration: readonly CalibrationBatch[];
  /** Some of what is left, at most as much again. */
  readonly heldOut: readonly CalibrationBatch[];
}

/** Tokens of a batch, nearly. */
const batchTokens = 2048;

/** Lengths of batches are whole multiples of this, so that few shapes are compiled. */
const lengthStep = 16;

/**
 * Sequences with `samples` · `length` tokens in all, in batches of equal shape. A {@link UserError} that says how
 * much is needed where there is less.
 */
export function calibrationText(
  examples: Examples,
  model: Model,
  choice: WindowChoice,
  file: string,
): CalibrationText {
  const { samples, length, seed } = choice;
  const all = sequencesOf(examples, length);
  const need = samples * length;
  const there = all.reduce((sum, { from, to }) => sum + to - from, 0);
  if (there < need) throw tooShort(file, there, choice);
  const order = seed === 0 ? all : drawn(all, seed);
  const count = enough(order, need);
  const used = new Set(order.slice(0, count));
  const left = order.slice(count);
  const batches = (sequences: readonly Sequence[]): readonly CalibrationBatch[] =>
    batched(examples, model, sequences, longest(all));
  return {
    calibration: batches(all.filter((sequence) => used.has(sequence))),
    heldOut: batches(left.slice(0, enough(left, need))),
  };
}

/** Rows as they are where none is longer than `length`; else all tokens one after the other in windows of it. */
function sequencesOf({ starts, count }: Examples, length: number): readonly Sequence[] {
  const rows = Array.from({ length: count }, (_, row) => ({
    from: at(starts, row),
    to: at(starts, row + 1),
  })).filter(({ from, to }) => to - from > 1);
  if (longest(rows) <= length) return rows;
  const windows = Math.floor(at(starts, count) / length);
  return Array.from({ length: windows }, (_, window) => ({
    from: window * length,
    to: (window + 1) * length,
  }));
}

/** How many of the first sequences have so many tokens; all where they have less. */
function enough(sequences: readonly Sequence[], tokens: number): number {
  let sum = 0;
  const last = sequences.findIndex(({ from, to }) => (sum += to - from) >= tokens);
  return last < 0 ? sequences.length : last + 1;
}

function longest(sequences: readonly Sequence[]): number {
  return sequences.reduce((most, { from, to }) => Math.max(most, to - from), 0);
}

function batched(
  { ids }: Examples,
  model: Model,
  sequences: readonly Sequence[],
  most: number,
): readonly CalibrationBatch[] {
  const room = Math.min(model.sizes.maxLength, Math.ceil(most / lengthStep) * lengthStep);
  const perBatch = Math.max(1, Math.floor(batchTokens / Math.max(1, room)));
  const batches: CalibrationBatch[] = [];
  for (let first = 0; first < sequences.length; first += perBatch) {
    const rows = sequences.slice(first, first + perBatch);
    const taken = new Int32Array(rows.length * room);
    const counted = new Uint8Array(taken.length);
    for (const [row, { from, to }] of rows.entries()) {
      taken.set(ids.subarray(from, to), row * room);
      counted.fill(1, row * room, row * room + to - from);
    }
    batches.push(sequenceBatch(taken, counted, rows.length, room, model));
  }
  return batches;
}

function sequenceBatch(
  ids: Int32Array,
  counted: Uint8Array,
  batch: number,
  length: number,
  { firstPosition, causal }: Model,
): CalibrationBatch {
  // What comes before padding does not see it in a causal model.
  const padded = !causal && counted.includes(0);
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
      ...(padded && {
        bias: {
          kind: "keys" as const,
          data: Float32Array.from(counted, (counts) => (counts === 1 ? 0 : forbidden)),
        },
      }),
    },
    counted,
  };
}

/** All in an order that a generator of 32 bits draws. */
function drawn(all: readonly Sequence[], seed: number): readonly Sequence[] {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = [...all];
  for (let i = 0; i + 1 < order.length; i++) {
    const other = i + Math.floor(next() * (order.length - i));
    [order[i], order[other]] = [at(order, other), at(order, i)];
  }
  return order;
}

function tooShort(file: string, tokens: number, { samples, length }: WindowChoice): UserError {
  const fits = Math.floor(tokens / length);
  const smaller =
    fits > 0
      ? `, or take what is there with --samples ${fits}`
      : tokens > 1
        ? `, or take what is there with --samples 1 --length ${tokens}`
        : "";
  return new UserError({
    code: "calibration-too-short",
    message: `${file} holds ${tokens} tokens to calibrate on; ${samples} windows of ${length} need ${samples * length}.`,
    place: { file },
    remedy: `Give more text${smaller}.`,
  });
}
