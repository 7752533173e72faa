/** @file Which rows each optimizer step sees, in which micro-batches, padded to which length. */
import { at } from "../../../shared/errors.ts";
import { exampleLength, type Examples } from "../examples/example-store.ts";
import { bucketOf, chooseBuckets } from "./buckets.ts";
import { packRows, singleRows, type Rows } from "./packing.ts";
import { shuffled } from "./shuffle.ts";

export interface BatchOptions {
  /** The examples to use, by their number; all of them unless given. */
  readonly subset?: Uint32Array | undefined;
  /** Rows of an optimizer step; with packing, a row is a full one of several examples, as in TRL. */
  readonly batchSize: number;
  /** Rows in memory at a time. */
  readonly microBatchSize: number;
  readonly packing: boolean;
  /** Longest row; packed rows are filled up to it. */
  readonly maxLength: number;
  readonly shuffle: boolean;
  /** Whether steps gather rows of similar length (transformers' `group_by_length`). */
  readonly groupByLength: boolean;
  readonly seed: number;
  /** Lengths to pad to; chosen from the rows' lengths unless given. */
  readonly buckets?: readonly number[];
}

/** Rows that go through the model together. */
export interface MicroBatch {
  /** For each row, its examples. */
  readonly rows: readonly (readonly number[])[];
  /** Tokens of a row after padding. */
  readonly sequenceLength: number;
}

export interface BatchPlan {
  /** Rows of an epoch: examples, or packs of them. */
  readonly rows: number;
  readonly stepsPerEpoch: number;
  /** Tokens of an epoch without padding. */
  readonly tokensPerEpoch: number;
  /** Every length that occurs after padding, ascending. */
  readonly buckets: readonly number[];
  /**
   * The micro-batches of a step, counted from 0 over all epochs. The last step of an epoch has the rows that
   * are left. A step can be asked for without those before it: a run resumes where it stopped.
   */
  step(index: number): readonly MicroBatch[];
}

/** Rows sorted together by length, in steps: enough to make lengths similar, few enough to stay random. */
const stepsGrouped = 50;

export function planBatches(examples: Examples, options: BatchOptions): BatchPlan {
  const subset =
    options.subset ?? Uint32Array.from({ length: examples.count }, (_, index) => index);
  const lengthOf = (example: number): number => exampleLength(examples, example);
  const rows = options.packing ? packRows(subset, lengthOf, options.maxLength) : singleRows(subset);
  const lengths = rowLengths(rows, lengthOf);
  const buckets = options.buckets ?? chooseBuckets(lengths, { limit: options.maxLength });
  const stepsPerEpoch = Math.ceil(rows.count / options.batchSize);

  let known: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  const orderOf = (epoch: number): Uint32Array => {
    if (known?.epoch !== epoch) known = { epoch, order: epochOrder(lengths, options, epoch) };
    return known.order;
  };
  return {
    rows: rows.count,
    stepsPerEpoch,
    tokensPerEpoch: lengths.reduce((sum, length) => sum + length, 0),
    buckets,
    step(index) {
      const epoch = Math.floor(index / stepsPerEpoch);
      const start = (index % stepsPerEpoch) * options.batchSize;
      const order = orderOf(epoch).subarray(start, start + options.batchSize);
      return microBatches(order, rows, lengths, buckets, options.microBatchSize);
    },
  };
}

/** The rows of an epoch, step after step. */
function epochOrder(lengths: Uint32Array, options: BatchOptions, epoch: number): Uint32Array {
  const { seed, batchSize, shuffle, groupByLength } = options;
  const order = shuffle
    ? shuffled(lengths.length, { seed, epoch, purpose: "examples" })
    : Uint32Array.from(lengths, (_, index) => index);
  if (!groupByLength) return order;

  const groups = Math.max(1, Math.min(stepsGrouped, Math.floor(order.length / (4 * batchSize))));
  const size = batchSize * groups;
  for (let start = 0; start < order.length; start += size)
    order.set(
      order.slice(start, start + size).toSorted((a, b) => at(lengths, b) - at(lengths, a)),
      start,
    );
  if (!shuffle) return order;
  // Without this, every group would run from its longest rows to its shortest. The last step may be short and stays.
  const whole = Math.floor(order.length / batchSize);
  const grouped = order.slice();
  shuffled(whole, { seed, epoch, purpose: "batches" }).forEach((from, to) =>
    order.set(grouped.subarray(from * batchSize, (from + 1) * batchSize), to * batchSize),
  );
  return order;
}

/** Cuts a step's rows into micro-batches; rows of similar length go together, which changes no sum. */
function microBatches(
  order: Uint32Array,
  rows: Rows,
  lengths: Uint32Array,
  buckets: readonly number[],
  microBatchSize: number,
): readonly MicroBatch[] {
  const sorted = order.toSorted((a, b) => at(lengths, b) - at(lengths, a));
  const batches: MicroBatch[] = [];
  for (let start = 0; start < sorted.length; start += microBatchSize) {
    const part = sorted.subarray(start, start + microBatchSize);
    batches.push({
      rows: Array.from(part, (row) => [
        ...rows.members.subarray(at(rows.starts, row), at(rows.starts, row + 1)),
      ]),
      sequenceLength: bucketOf(at(lengths, at(part, 0)), buckets),
    });
  }
  return batches;
}

function rowLengths(rows: Rows, lengthOf: (example: number) => number): Uint32Array {
  const lengths = new Uint32Array(rows.count);
  for (let row = 0; row < rows.count; row += 1)
    for (let index = at(rows.starts, row); index < at(rows.starts, row + 1); index += 1)
      lengths[row] = at(lengths, row) + lengthOf(at(rows.members, index));
  return lengths;
}
