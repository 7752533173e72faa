/** @file The arrays that go into a model: token ids, positions, targets. */
import { at, invariant } from "../../../shared/errors.ts";
import type { Examples } from "../examples/example-store.ts";
import type { MicroBatch } from "./batch-plan.ts";

/** The label of a position on which no loss is computed, as in PyTorch. */
const ignoredLabel = -100;

interface Batch {
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** Token ids `[batchSize, sequenceLength]`, padded at the end. */
  readonly inputIds: Int32Array;
  /** Tokens of each row without padding `[batchSize]`. */
  readonly lengths: Int32Array;
  /** For each row, the numbers of its examples. */
  readonly rows: readonly (readonly number[])[];
  /** Tokens without padding. */
  readonly tokens: number;
}

/** A micro-batch to predict next tokens on. */
export interface CausalBatch extends Batch {
  readonly kind: "causal";
  /** Position of each token in its example `[batchSize, sequenceLength]`; 0 in the padding. */
  readonly positions: Int32Array;
  /**
   * Which of a row's examples each token belongs to, -1 in the padding; attention stays within one. Absent
   * where each row is one example: then nothing before a token belongs to another.
   */
  readonly segments: Int32Array | undefined;
  /** The next token where it is trained on, else {@link ignoredLabel} `[batchSize, sequenceLength]`. */
  readonly labels: Int32Array;
  /** Labels that are not ignored: what a mean of the loss divides by. */
  readonly trainedTokens: number;
}

/** A micro-batch of texts with a class or a number each. */
export interface LabelledBatch extends Batch {
  readonly kind: "labelled";
  /** 1 for a token, 0 for padding `[batchSize, sequenceLength]`. */
  readonly attentionMask: Int32Array;
  readonly typeIds: Int32Array;
  /** Class ids or numbers `[batchSize]`. */
  readonly targets: Float64Array;
}

export function causalBatch(
  examples: Examples,
  { rows, sequenceLength }: MicroBatch,
  options: { readonly padId: number; readonly packing: boolean },
): CausalBatch {
  const size = rows.length * sequenceLength;
  const inputIds = new Int32Array(size).fill(options.padId);
  const positions = new Int32Array(size);
  const segments = options.packing ? new Int32Array(size).fill(-1) : undefined;
  const labels = new Int32Array(size).fill(ignoredLabel);
  const lengths = new Int32Array(rows.length);
  let tokens = 0;
  let trainedTokens = 0;
  rows.forEach((members, row) => {
    let to = row * sequenceLength;
    members.forEach((example, segment) => {
      const start = at(examples.starts, example);
      const end = at(examples.starts, example + 1);
      inputIds.set(examples.ids.subarray(start, end), to);
      segments?.fill(segment, to, to + end - start);
      for (let from = start; from < end; from += 1, to += 1) {
        positions[to] = from - start;
        // The last token of an example foretells nothing: what follows belongs to another.
        if (from + 1 === end || at(examples.trained, from + 1) === 0) continue;
        labels[to] = at(examples.ids, from + 1);
        trainedTokens += 1;
      }
    });
    lengths[row] = to - row * sequenceLength;
    invariant(at(lengths, row) <= sequenceLength, "a row fits into its bucket");
    tokens += at(lengths, row);
  });
  const batchSize = rows.length;
  return {
    kind: "causal",
    batchSize,
    sequenceLength,
    inputIds,
    positions,
    segments,
    labels,
    lengths,
    rows,
    tokens,
    trainedTokens,
  };
}

export function labelledBatch(
  examples: Examples,
  { rows, sequenceLength }: MicroBatch,
  options: { readonly padId: number },
): LabelledBatch {
  const size = rows.length * sequenceLength;
  const inputIds = new Int32Array(size).fill(options.padId);
  const attentionMask = new Int32Array(size);
  const typeIds = new Int32Array(size);
  const lengths = new Int32Array(rows.length);
  const targets = new Float64Array(rows.length);
  rows.forEach(([example], row) => {
    invariant(
      example !== undefined && examples.labels !== undefined,
      "a labelled row has one example",
    );
    const start = at(examples.starts, example);
    const end = at(examples.starts, example + 1);
    const to = row * sequenceLength;
    inputIds.set(examples.ids.subarray(start, end), to);
    attentionMask.fill(1, to, to + end - start);
    if (examples.typeIds !== undefined) typeIds.set(examples.typeIds.subarray(start, end), to);
    lengths[row] = end - start;
    targets[row] = at(examples.labels, example);
  });
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const batchSize = rows.length;
  return {
    kind: "labelled",
    batchSize,
    sequenceLength,
    inputIds,
    attentionMask,
    typeIds,
    lengths,
    targets,
    rows,
    tokens,
  };
}
