/** @file Passes without gradients: the last hidden state, losses and logits of a batch's rows. */
import { headForward } from "../programs/ends.ts";
import type { HeadOutputs, HeadShape } from "../programs/ends.ts";
import { layerNames } from "../programs/layer.ts";
import type { DeviceTensor, Tensors } from "../runtime/backend.ts";
import type { ModelBatch } from "./batch.ts";
import { batchFeeds, headFeeds } from "./batch.ts";
import type { NetworkContext } from "./context.ts";
import { floats } from "./context.ts";
import { logitRows } from "./head-rows.ts";
import { embed, inferLayer, made } from "./passes.ts";
import { sideHidden } from "./side.ts";
import type { Uploader } from "./uploads.ts";
import { withRoom } from "./virtual-tokens.ts";
import { withUploads } from "./uploads.ts";

/** Logits of each of the batch's rows [rows · outputs]. */
export async function logitsOf(context: NetworkContext, batch: ModelBatch): Promise<Float32Array> {
  const parts = await headRows(context, batch, "logits");
  return parts.get("logits") ?? new Float32Array(0);
}

export interface RowScores {
  /** Each row's loss [rows]. */
  readonly losses: Float32Array;
  /** 1 where a row's label has the highest logit [rows]. */
  readonly hits: Float32Array;
}

export async function scoresOf(context: NetworkContext, batch: ModelBatch): Promise<RowScores> {
  const parts = await headRows(context, batch, "scores");
  const none = new Float32Array(0);
  return { losses: parts.get("losses") ?? none, hits: parts.get("hits") ?? none };
}

/** A head program's outputs over all rows of a batch, by name. */
function headRows(
  context: NetworkContext,
  batch: ModelBatch,
  wanted: HeadOutputs,
): Promise<ReadonlyMap<string, Float32Array>> {
  return withUploads(context.backend, (uploader) =>
    uploadedHeadRows(context, uploader, batch, wanted),
  );
}

async function uploadedHeadRows(
  context: NetworkContext,
  uploader: Uploader,
  words: ModelBatch,
  wanted: HeadOutputs,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { backend, model, head } = context;
  const batch = withRoom(words, context.before, model);
  const feeds = batchFeeds(uploader, model, batch);
  const hidden =
    context.narrow === undefined
      ? await lastHidden(context, batch, feeds)
      : await sideHidden({ context, batch, feeds });
  const shape = headShape(context, batch);
  const { kind } = batch.targets;
  const key = `head ${wanted} ${kind} ${shape.count}/${shape.of}`;
  const pass = await context.pass(key, () => headForward(model, head.setup, shape, kind, wanted));
  const buffers = new Map([...pass.outputs].map((name) => [name, `head.${name}`]));
  const parts = new Map([...pass.outputs].map((name): [string, Float32Array[]] => [name, []]));
  for (let start = 0; start < batch.rows.length; start += shape.count) {
    const rowFeeds = headFeeds(uploader, batch, start, shape.count);
    const outputs = await context.run(head, pass, {
      feeds: new Map([...rowFeeds, [layerNames.hidden, hidden]]),
      buffers,
    });
    const rows = Math.min(shape.count, batch.rows.length - start);
    for (const [name, list] of parts) {
      const values = await floats(backend, made(outputs, name));
      list.push(values.slice(0, (values.length / shape.count) * rows));
    }
  }
  return new Map([...parts].map(([name, list]) => [name, joined(list)]));
}

async function lastHidden(
  context: NetworkContext,
  batch: ModelBatch,
  feeds: Tensors,
): Promise<DeviceTensor> {
  let hidden = await embed(context, batch, feeds);
  for (const index of context.layers.keys())
    hidden = await inferLayer(context, index, batch, feeds, hidden);
  return hidden;
}

/** How many rows the head takes at once, so that the logits stay small. */
export function headShape({ model }: NetworkContext, batch: ModelBatch): HeadShape {
  return { count: logitRows(model, batch.rows.length), of: batch.batch * batch.length };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}
