/** @file One micro-batch as the model takes it, and the inputs of programs made from it. */
import type { Model } from "../models/architecture.ts";
import { rotaryTables } from "../models/rotary.ts";
import type { BatchShape } from "../programs/layer.ts";
import type { DeviceTensor } from "../runtime/backend.ts";
import type { Uploader } from "./uploads.ts";

/** What the head's rows should be: classes (negative: no loss), or values for regression [rows · outputs]. */
export type Targets =
  | { readonly kind: "classes"; readonly labels: Int32Array }
  | { readonly kind: "values"; readonly values: Float32Array };

/** Token arrays are flat [batch · length]. */
export interface ModelBatch {
  readonly batch: number;
  readonly length: number;
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly types: Int32Array;
  /** Whether positions differ between the sequences. */
  readonly ownPositions: boolean;
  /** Added to attention scores: [batch, length] over keys, or [batch, length, length]. */
  readonly bias?: { readonly kind: "keys" | "full"; readonly data: Float32Array };
  /** Flat indices of the rows that the head reads. */
  readonly rows: Int32Array;
  readonly targets: Targets;
  /** How many places at the beginning of each sequence are no words but a method's own rows. */
  readonly virtual?: number;
  /** How many places of each sequence are no padding; all where not given. */
  readonly lengths?: ArrayLike<number>;
}

export function shapeOf({
  batch,
  length,
  ownPositions,
  bias,
  virtual = 0,
}: ModelBatch): BatchShape {
  return { batch, length, ownPositions, bias: bias?.kind ?? "none", virtual };
}

/** A batch shape as the key of what was compiled for it. */
export function shapeKey({ batch, length, ownPositions, bias, virtual = 0 }: BatchShape): string {
  return `${batch}x${length} ${ownPositions} ${bias}${virtual > 0 ? ` after ${virtual}` : ""}`;
}

/** The inputs that every block may read. */
export function batchFeeds(
  backend: Uploader,
  model: Model,
  batch: ModelBatch,
): ReadonlyMap<string, DeviceTensor> {
  const { length, bias } = batch;
  const tokens = (data: Int32Array): DeviceTensor =>
    backend.upload("int32", [batch.batch, length], data);
  const feeds = new Map([
    ["ids", tokens(batch.ids)],
    ["positions", tokens(batch.positions)],
    ["types", tokens(batch.types)],
  ]);
  if (model.rotary) {
    const rows = batch.ownPositions ? batch.batch : 1;
    const { cos, sin } = rotaryTables(model.rotary, batch.positions.subarray(0, rows * length));
    const shape = [rows, length, 1, model.sizes.headDim / 2];
    feeds.set("cos", backend.upload("float32", shape, cos));
    feeds.set("sin", backend.upload("float32", shape, sin));
  }
  if (bias) {
    const queries = bias.kind === "full" ? length : 1;
    feeds.set("bias", backend.upload("float32", [batch.batch, 1, queries, length], bias.data));
  }
  return feeds;
}

/** 1 for places of tokens, 0 for padding [batch · length]. */
export function realRows({ batch, length, lengths }: ModelBatch): Float32Array {
  return Float32Array.from({ length: batch * length }, (_, place) =>
    place % length < (lengths?.[Math.floor(place / length)] ?? length) ? 1 : 0,
  );
}

/** Inputs of a head program for the rows start … start + count; places beyond the last have no loss. */
export function headFeeds(
  backend: Uploader,
  batch: ModelBatch,
  start: number,
  count: number,
): ReadonlyMap<string, DeviceTensor> {
  const indices = new Int32Array(count);
  indices.set(batch.rows.subarray(start, start + count));
  const feeds = new Map([["indices", backend.upload("int32", [count], indices)]]);
  const { targets } = batch;
  if (targets.kind === "classes") {
    const labels = new Int32Array(count).fill(-1);
    labels.set(targets.labels.subarray(start, start + count));
    feeds.set("labels", backend.upload("int32", [count], labels));
  } else {
    const width = targets.values.length / batch.rows.length;
    const values = targets.values.slice(start * width, (start + count) * width);
    feeds.set("labels", backend.upload("float32", [count, width], values));
  }
  return feeds;
}
