/** @file Token batches as the model takes them: targets as rows, padding and packing as attention bias. */
import { at } from "../../shared/errors.ts";
import { forbidden } from "../core/causal-mask.ts";
import type { CausalBatch, LabelledBatch } from "../data/batches/batches.ts";
import type { Model } from "../models/architecture.ts";
import type { ModelBatch } from "../network/batch.ts";

/** Rows are the places whose next token is trained on. */
export function causalModelBatch(batch: CausalBatch): ModelBatch {
  const { batchSize, sequenceLength: length, labels, segments } = batch;
  const rows = new Int32Array(batch.trainedTokens);
  const targets = new Int32Array(batch.trainedTokens);
  let count = 0;
  labels.forEach((label, place) => {
    if (label < 0) return;
    rows[count] = place;
    targets[count] = label;
    count++;
  });
  return {
    batch: batchSize,
    length,
    ids: batch.inputIds,
    positions: segments ? batch.positions : plainPositions(batchSize, length, 0),
    types: new Int32Array(batchSize * length),
    ownPositions: segments !== undefined,
    ...(segments
      ? { bias: { kind: "full" as const, data: segmentBias(segments, batchSize, length) } }
      : {}),
    rows,
    lengths: batch.lengths,
    targets: { kind: "classes", labels: targets },
  };
}

/** Rows are the first tokens; keys of padding are forbidden. */
export function labelledModelBatch(
  batch: LabelledBatch,
  model: Model,
  kind: "class" | "number",
): ModelBatch {
  const { batchSize, sequenceLength: length, attentionMask, targets } = batch;
  const padded = batch.lengths.some((used) => used < length);
  return {
    batch: batchSize,
    length,
    ids: batch.inputIds,
    positions: plainPositions(batchSize, length, model.firstPosition),
    types: batch.typeIds,
    ownPositions: false,
    ...(padded
      ? {
          bias: {
            kind: "keys" as const,
            data: Float32Array.from(attentionMask, (used) => (used === 1 ? 0 : forbidden)),
          },
        }
      : {}),
    rows: Int32Array.from({ length: batchSize }, (_, row) => row * length),
    lengths: batch.lengths,
    targets:
      kind === "class"
        ? { kind: "classes", labels: Int32Array.from(targets) }
        : { kind: "values", values: Float32Array.from(targets) },
  };
}

function plainPositions(batch: number, length: number, first: number): Int32Array {
  return Int32Array.from({ length: batch * length }, (_, place) => first + (place % length));
}

/** [batch, length, length]: forbids keys of another example; causality comes in addition. */
function segmentBias(segments: Int32Array, batch: number, length: number): Float32Array {
  const bias = new Float32Array(batch * length * length);
  for (let row = 0; row < batch; row++)
    for (let query = 0; query < length; query++) {
      const own = at(segments, row * length + query);
      const start = (row * length + query) * length;
      for (let key = 0; key <= query; key++)
        if (segments[row * length + key] !== own) bias[start + key] = forbidden;
    }
  return bias;
}
