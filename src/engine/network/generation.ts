/** @file Generates tokens with cached keys and values: one program for the prompts, one for every further token. */
import { at, invariant } from "../../shared/errors.ts";
import { headForward } from "../programs/ends.ts";
import type { BatchShape } from "../programs/layer.ts";
import { layerDecoding, layerNames } from "../programs/layer.ts";
import { sideDecoding, sideNames, sidePlace } from "../programs/side.ts";
import { forbidden } from "../core/causal-mask.ts";
import type { Graph } from "../core/graph.ts";
import type { ModelSizes } from "../models/architecture.ts";
import type { DeviceTensor } from "../runtime/backend.ts";
import type { ModelBatch } from "./batch.ts";
import { batchFeeds, shapeKey, shapeOf } from "./batch.ts";
import type { Block, NetworkContext } from "./context.ts";
import { floats } from "./context.ts";
import type { GenerationShape } from "./generation-shape.ts";
import { generationShape } from "./generation-shape.ts";
import { embed, made } from "./passes.ts";
import { runSide, stateFeeds } from "./side.ts";
import type { Uploader } from "./uploads.ts";
import { withUploads } from "./uploads.ts";

export interface GenerationOptions {
  readonly maxNewTokens: number;
  /** Tokens that end a sequence. */
  readonly stop: ReadonlySet<number>;
  /** The next token of a sequence from its logits [vocabulary]. */
  readonly choose: (logits: Float32Array, sequence: number, position: number) => number;
  /** Called for each new token; false ends all sequences. */
  readonly onToken?: (sequence: number, token: number) => boolean;
}

/** Keys and values of earlier tokens, one pair for each layer: [batch, groups, capacity, headDim]. */
interface Cache {
  readonly capacity: number;
  /** By the layer's id, and that with `.side` for the layers of a side network. */
  readonly layers: ReadonlyMap<string, CachedLayer>;
}

interface CachedLayer {
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly sizes: CachedSizes;
}

type CachedSizes = Pick<ModelSizes, "keyValueHeads" | "headDim">;

/** New tokens of each prompt, without the token that ended it. */
export async function generate(
  context: NetworkContext,
  words: readonly Int32Array[],
  options: GenerationOptions,
): Promise<readonly number[][]> {
  const { sizes } = context.model;
  const { tokens: virtual, prefix } = context.before;
  const prompts = words.map((prompt) => Int32Array.of(...new Int32Array(virtual), ...prompt));
  const most = sizes.maxLength + virtual;
  const shape = generationShape(
    prompts.map(({ length }) => length),
    options.maxNewTokens,
    most,
  );
  const { batch, promptLength, capacity } = shape;
  const cache = cacheOf(context, shape);
  const results: number[][] = prompts.map(() => []);
  const done = prompts.map(() => false);

  const ids = new Int32Array(batch * promptLength);
  prompts.forEach((prompt, row) => {
    invariant(prompt.length > virtual, "a prompt has no tokens");
    ids.set(prompt, row * promptLength);
  });
  const positions = new Int32Array(batch * promptLength).map(
    (_, place) => prefix + (place % promptLength),
  );
  const last = Int32Array.from(prompts, (prompt, row) => row * promptLength + prompt.length - 1);
  let logits = await decode(
    context,
    { batch, length: promptLength, virtual, ids, positions, rows: last },
    cache,
    0,
    0,
  );

  for (let count = 0; count < options.maxNewTokens; count++) {
    const next = new Int32Array(batch);
    for (const [row, prompt] of prompts.entries()) {
      if (done[row] === true) continue;
      const rowLogits = logits.subarray(row * sizes.vocabulary, (row + 1) * sizes.vocabulary);
      const token = options.choose(rowLogits, row, count);
      next[row] = token;
      const full = prompt.length + count + 1 >= most;
      done[row] = options.stop.has(token) || full;
      if (options.stop.has(token)) continue;
      at(results, row).push(token);
      if (options.onToken?.(row, token) === false) done.fill(true);
    }
    if (done.every(Boolean) || count + 1 === options.maxNewTokens) break;
    logits = await decode(
      context,
      {
        batch,
        length: 1,
        virtual: 0,
        ids: next,
        positions: Int32Array.from(prompts, (prompt) => prefix + prompt.length + count),
        rows: Int32Array.from({ length: batch }, (_, row) => row),
        bias: decodingBias(prompts, promptLength, count, capacity),
      },
      cache,
      capacity,
      promptLength + count,
    );
  }
  return results;
}

interface Tokens {
  readonly batch: number;
  readonly length: number;
  readonly virtual: number;
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly rows: Int32Array;
  readonly bias?: Float32Array;
}

/** Runs new tokens after `past` cached places, stores their keys and values from `slot` on, and returns the rows' logits. */
function decode(
  context: NetworkContext,
  tokens: Tokens,
  cache: Cache,
  past: number,
  slot: number,
): Promise<Float32Array> {
  return withUploads(context.backend, (uploader) =>
    decodeUploaded(context, uploader, tokens, cache, past, slot),
  );
}

async function decodeUploaded(
  context: NetworkContext,
  uploader: Uploader,
  tokens: Tokens,
  cache: Cache,
  past: number,
  slot: number,
): Promise<Float32Array> {
  const { backend, model, embedding, layers, head } = context;
  const { batch, length, virtual, rows, bias } = tokens;
  const modelBatch: ModelBatch = {
    batch,
    length,
    virtual,
    ids: tokens.ids,
    positions: tokens.positions,
    types: new Int32Array(batch * length),
    ownPositions: past > 0,
    rows,
    targets: { kind: "classes", labels: new Int32Array(0) },
  };
  const shape: BatchShape = { ...shapeOf(modelBatch), bias: bias ? "keys" : "none" };
  const feeds = new Map(batchFeeds(uploader, model, modelBatch));
  if (bias) feeds.set("bias", uploader.upload("float32", [batch, 1, 1, past + length], bias));
  /** One layer's pass: its new keys and values go into its cache. */
  const decodeLayer = async (
    layer: Block,
    id: string,
    trace: () => Graph,
    states: readonly (readonly [string, DeviceTensor])[],
    output: readonly [name: string, buffer: string],
  ): Promise<DeviceTensor> => {
    const cached = cache.layers.get(id);
    invariant(cached, `${id} has no cache`);
    const { keys, values, sizes } = cached;
    const { keyValueHeads, headDim } = sizes;
    const before = (data: Float32Array): DeviceTensor =>
      uploader.upload("float32", [batch, keyValueHeads, cache.capacity, headDim], data);
    const pass = await context.pass(`decode ${id} ${shapeKey(shape)} ${past}`, trace);
    const outputs = await context.run(layer, pass, {
      feeds: new Map([
        ...feeds,
        ...states,
        ...(past > 0
          ? ([
              ["past.keys", before(keys)],
              ["past.values", before(values)],
            ] as const)
          : []),
      ]),
      buffers: new Map([output, ["keys", "decode.keys"], ["values", "decode.values"]]),
    });
    const size = { groups: batch * keyValueHeads, length, width: headDim };
    store(await floats(backend, made(outputs, "keys")), keys, size, cache.capacity, slot);
    store(await floats(backend, made(outputs, "values")), values, size, cache.capacity, slot);
    return made(outputs, output[0]);
  };

  let hidden = await embed(context, modelBatch, feeds);
  const sidePass = { context, batch: modelBatch, feeds };
  const beside = context.narrow === undefined ? undefined : { ...shape, narrow: context.narrow };
  let side = beside && (await runSide(sidePass, embedding, { hidden, side: undefined }, "side.0"));
  for (const [index, layer] of layers.entries()) {
    const { id } = layer.setup.spec;
    hidden = await decodeLayer(
      layer,
      id,
      () => layerDecoding(model, layer.setup, shape, past),
      [[layerNames.hidden, hidden]],
      [layerNames.output, `passing.${index % 2}`],
    );
    if (!beside || !sidePlace(layer.setup)) continue;
    side = await decodeLayer(
      layer,
      `${id}.side`,
      () => sideDecoding(model, layer.setup, beside, past),
      stateFeeds({ hidden, side }),
      [sideNames.output, `side.${index + 1}`],
    );
  }
  if (beside) hidden = await runSide(sidePass, head, { hidden, side }, "side.hidden");
  const headShape = { count: rows.length, of: batch * length };
  const pass = await context.pass(`decode head ${headShape.count}/${headShape.of}`, () =>
    headForward(model, head.setup, headShape, "classes", "logits"),
  );
  const outputs = await context.run(head, pass, {
    feeds: new Map([
      [layerNames.hidden, hidden],
      ["indices", uploader.upload("int32", [rows.length], rows)],
    ]),
    buffers: new Map([["logits", "decode.logits"]]),
  });
  return floats(backend, made(outputs, "logits"));
}

/** Forbids padding between a prompt's end and the first new token, and places that are still empty. */
function decodingBias(
  prompts: readonly Int32Array[],
  promptLength: number,
  count: number,
  capacity: number,
): Float32Array {
  const width = capacity + 1;
  const bias = new Float32Array(prompts.length * width);
  prompts.forEach((prompt, row) => {
    bias.fill(forbidden, row * width + prompt.length, row * width + promptLength);
    bias.fill(forbidden, row * width + promptLength + count, row * width + capacity);
  });
  return bias;
}

/** A context's memory for keys and values, by layer: it grows to the largest group and is kept. */
const memories = new WeakMap<
  NetworkContext,
  Map<string, readonly [keys: Float32Array, values: Float32Array]>
>();

/** What an earlier group left in it is forbidden to attend to until it is written over. */
function cacheOf(context: NetworkContext, { batch, capacity }: GenerationShape): Cache {
  const memory =
    memories.get(context) ?? new Map<string, readonly [keys: Float32Array, values: Float32Array]>();
  memories.set(context, memory);
  const layers = cachedLayers(context).map(({ id, sizes }): [string, CachedLayer] => {
    const size = batch * sizes.keyValueHeads * capacity * sizes.headDim;
    let held = memory.get(id);
    if (held === undefined || held[0].length < size) {
      held = [new Float32Array(size), new Float32Array(size)];
      memory.set(id, held);
    }
    const [keys, values] = held;
    return [id, { keys: keys.subarray(0, size), values: values.subarray(0, size), sizes }];
  });
  return { capacity, layers: new Map(layers) };
}

/** Every layer that has keys and values. */
function cachedLayers({
  model,
  layers,
}: NetworkContext): readonly { readonly id: string; readonly sizes: CachedSizes }[] {
  return layers.flatMap(({ setup }) => {
    const { id } = setup.spec;
    const narrow = sidePlace(setup)?.narrow;
    return [
      { id, sizes: model.sizes },
      ...(narrow ? [{ id: `${id}.side`, sizes: narrow.sizes }] : []),
    ];
  });
}

/** Copies [groups, length, width] to places slot … of [groups, capacity, width]. */
function store(
  from: Float32Array,
  to: Float32Array,
  size: { readonly groups: number; readonly length: number; readonly width: number },
  capacity: number,
  slot: number,
): void {
  const { groups, length, width } = size;
  for (let group = 0; group < groups; group++) {
    const part = from.subarray(group * length * width, (group + 1) * length * width);
    to.set(part, (group * capacity + slot) * width);
  }
}
