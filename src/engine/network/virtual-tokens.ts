/** @file Makes room in a batch for what methods put before the words: rows of their own, or earlier keys and values. */
import { invariant } from "../../shared/errors.ts";
import type { Model } from "../models/architecture.ts";
import type { BatchShape } from "../programs/layer.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { ModelBatch } from "./batch.ts";

/** What stands before the words of each sequence. */
export interface BeforeWords {
  /** Places of the sequence. */
  readonly tokens: number;
  /** Keys and values that are seen without a place of their own; positions count on from them. */
  readonly prefix: number;
}

export function beforeWords(setups: Iterable<Pick<BlockSetup, "places">>): BeforeWords {
  const count = { tokens: 0, prefix: 0 };
  for (const { places } of setups)
    for (const { method } of places?.values() ?? [])
      if (method.kind === "tokens") count.tokens = method.count;
      else if (method.kind === "prefix") count.prefix = method.count;
  return count;
}

/** The shape of what {@link withRoom} makes. */
export function shapeWithRoom(shape: BatchShape, { tokens }: BeforeWords): BatchShape {
  return { ...shape, length: shape.length + tokens, virtual: tokens };
}

/** The batch as the network takes it. A classifier reads each sequence's first place, whatever stands there. */
export function withRoom(
  batch: ModelBatch,
  { tokens, prefix }: BeforeWords,
  { task }: Pick<Model, "task">,
): ModelBatch {
  if (tokens + prefix === 0) return batch;
  invariant(!batch.ownPositions, "packed sequences have no common place before them");
  const first = batch.positions[0] ?? 0;
  const length = batch.length + tokens;
  const words = task === "causal-lm" ? tokens : 0;
  const placed = (place: number): number =>
    Math.floor(place / batch.length) * length + (place % batch.length);
  const moved = (values: Int32Array): Int32Array => {
    const all = new Int32Array(batch.batch * length);
    values.forEach((value, place) => {
      all[placed(place) + tokens] = value;
    });
    return all;
  };
  return {
    ...batch,
    length,
    virtual: tokens,
    ids: moved(batch.ids),
    types: moved(batch.types),
    positions: Int32Array.from(
      { length: batch.batch * length },
      (_, place) => first + prefix + (place % length),
    ),
    rows: batch.rows.map((row) => placed(row) + words),
    ...(batch.lengths ? { lengths: Array.from(batch.lengths, (count) => count + tokens) } : {}),
    ...(batch.bias ? { bias: biasWithRoom(batch.bias, batch, tokens) } : {}),
  };
}

function biasWithRoom(
  { kind, data }: NonNullable<ModelBatch["bias"]>,
  { batch, length }: ModelBatch,
  tokens: number,
): NonNullable<ModelBatch["bias"]> {
  invariant(kind === "keys", "packed sequences have no common place before them");
  const wide = new Float32Array(batch * (length + tokens));
  for (let row = 0; row < batch; row++)
    wide.set(data.subarray(row * length, (row + 1) * length), row * (length + tokens) + tokens);
  return { kind, data: wide };
}
