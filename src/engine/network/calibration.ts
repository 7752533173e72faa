/** @file Calibration over a base's layers, one after the other: what linear sites read of given batches, and the states that go on. */
import { UserError, at, invariant } from "../../shared/errors.ts";
import { layerNames } from "../programs/layer.ts";
import type { BatchShape } from "../programs/layer.ts";
import type { TappedLayer } from "../programs/tapped-layer.ts";
import { attentionOutput, tappedLayer } from "../programs/tapped-layer.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { Backend, DeviceTensor, Tensors } from "../runtime/backend.ts";
import type { BaseWeights } from "./base-weights.ts";
import type { ModelBatch } from "./batch.ts";
import { batchFeeds, shapeKey, shapeOf } from "./batch.ts";
import type { Block, NetworkContext, NetworkOptions } from "./context.ts";
import { createContext, floats } from "./context.ts";
import { createFactors } from "./factors.ts";
import { embed, inferLayer, made } from "./passes.ts";
import type { Parameters } from "./parameters.ts";
import { createParameters } from "./parameters.ts";
import { noState } from "../optimizers/define.ts";
import { withUploads } from "./uploads.ts";

/** A micro-batch with the tokens that count in it. */
export interface CalibrationBatch {
  readonly batch: ModelBatch;
  /** 1 for tokens that statistics are taken of, 0 for padding and what else is left out [batch · length]. */
  readonly counted: Uint8Array;
}

/** What some sites of a layer read of one batch. */
export interface SiteInput {
  readonly backend: Backend;
  /** Modules of the sites that read it, in the layer's order. */
  readonly modules: readonly string[];
  readonly width: number;
  /** [batch · length, width], until the next batch. */
  readonly tensor: DeviceTensor;
  readonly counted: Uint8Array;
  /** The number of the batch, from 0. */
  readonly index: number;
  /** The elements on the host. */
  floats(): Promise<Float32Array>;
  /** What the tokens that count attend to each token, summed over them and over heads [batch · length]; where asked for. */
  readonly attended?: Float32Array;
}

/** Takes one distinct input of one batch; called batch by batch. */
export type VisitInput = (input: SiteInput) => Promise<void>;

/**
 * The calibration set on its way through the layers. Memory is the hidden state of every token between two
 * layers, and one batch's inputs. Two streams over two networks give a float and a quantized side.
 */
export interface LayerStream {
  /** Index of the layer that is next; the number of layers at the end. */
  readonly next: number;
  /** Runs the next layer on every batch and moves on; shows what the sites in `modules` read. */
  advance(modules?: ReadonlySet<string>, visit?: VisitInput): Promise<void>;
  /** Shows what sites of the next layer read without moving on: once more with other weights, say. */
  look(modules: ReadonlySet<string>, visit: VisitInput): Promise<void>;
  /** The hidden state of a batch that the next layer reads [batch · length, hidden]. */
  hidden(index: number): Float32Array;
  /** Bytes of the states held. */
  bytes(): number;
}

/** What a calibration runs on: the base, and the run's own values of tensors that train whole. */
export type CalibrationParts = Pick<
  NetworkOptions,
  "backend" | "model" | "setups" | "base" | "parameters" | "checkpointing" | "cache"
>;

/** The network without methods: nothing trains, tensors that a run trains whole are read as they are now. */
export function calibrationContext(parts: CalibrationParts): NetworkContext {
  return createContext({
    ...parts,
    setups: new Map([...parts.setups].map(([id, setup]) => [id, plainSetup(setup)])),
    base: withTrained(parts.base, parts.parameters),
    parameters: createParameters([], noState),
    factors: createFactors([]),
    drawMask: () => undefined,
  });
}

/** A block with nothing that trains, and without methods. */
export function plainSetup(setup: BlockSetup): BlockSetup {
  return { ...setup, trained: new Set(), sites: new Map(), places: new Map() };
}

/** The base, and trained tensors of the model in it as if they were held in float32. */
export function withTrained(base: BaseWeights, { all }: Parameters): BaseWeights {
  const own = new Map(
    [...all.values()].map(({ name, shape, weight }) => [
      name,
      { type: "float32", shape, data: weight } as const,
    ]),
  );
  return {
    ...base,
    get: (source) => own.get(source) ?? base.get(source),
    decode: (source) => own.get(source)?.data ?? base.decode(source),
  };
}

export async function openLayerStream(
  context: NetworkContext,
  batches: readonly CalibrationBatch[],
): Promise<LayerStream> {
  const { backend, model, layers } = context;
  const states: Float32Array[] = [];
  const tapped = new Map<string, TappedLayer>();
  let next = 0;

  const withHidden = <T>(
    index: number,
    work: (batch: ModelBatch, feeds: ReadonlyMap<string, DeviceTensor>) => Promise<T>,
  ): Promise<T> =>
    withUploads(backend, async (uploader) => {
      const { batch } = at(batches, index);
      const feeds = new Map(batchFeeds(uploader, model, batch));
      const state = states[index];
      if (state) {
        const shape = [batch.batch * batch.length, model.sizes.hidden];
        feeds.set(layerNames.hidden, uploader.upload("float32", shape, state));
      }
      return work(batch, feeds);
    });

  for (const index of batches.keys())
    states.push(
      await withHidden(index, async (batch, feeds) =>
        (await floats(backend, await embed(context, batch, feeds))).slice(),
      ),
    );

  const programOf = (
    setup: BlockSetup,
    shape: BatchShape,
    wanted: ReadonlySet<string>,
  ): { readonly key: string; readonly made: TappedLayer } => {
    const key = `tapped ${setup.spec.id} ${shapeKey(shape)} ${[...wanted].join()}`;
    const known = tapped.get(key) ?? tappedLayer(model, setup, shape, wanted);
    tapped.set(key, known);
    return { key, made: known };
  };

  const run = async (
    modules: ReadonlySet<string>,
    visit: VisitInput | undefined,
    moves: boolean,
  ): Promise<void> => {
    const layer = at(layers, next);
    const { setup } = layer;
    const moduleOf = new Map(
      setup.spec.linears
        .filter(({ module }) => modules.has(module))
        .map(({ name, module }) => [name, module]),
    );
    for (const [index, { counted }] of batches.entries())
      await withHidden(index, async (batch, feeds) => {
        const hidden = feeds.get(layerNames.hidden);
        invariant(hidden, "a batch has no hidden state");
        if (moduleOf.size === 0 || visit === undefined) {
          if (!moves) return;
          const output = await inferLayer(context, next, batch, feeds, hidden);
          states[index]?.set(await floats(backend, output));
          return;
        }
        const { key, made: program } = programOf(setup, shapeOf(batch), new Set(moduleOf.keys()));
        const output = await visitTaps(context, layer, key, program, {
          feeds,
          moduleOf,
          counted,
          index,
          visit,
        });
        if (moves) states[index]?.set(await floats(backend, output));
      });
    if (moves) next++;
  };

  return {
    get next() {
      return next;
    },
    advance: (modules = new Set(), visit) => run(modules, visit, true),
    look: (modules, visit) => run(modules, visit, false),
    hidden: (index) => at(states, index),
    bytes: () => states.reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
}

/** The layer that a module is in, by index; what is read elsewhere than in a layer is not streamed. */
export function layerOf({ layers }: NetworkContext, module: string): number {
  const index = layers.findIndex(({ setup }) =>
    setup.spec.linears.some((linear) => linear.module === module),
  );
  if (index >= 0) return index;
  throw new UserError({
    code: "calibration-outside-layers",
    message: `Inputs are gathered of the layers' own modules; ${module} is outside of them.`,
    remedy: `Leave ${module} out with exclude_modules, or give it a start that reads no inputs.`,
  });
}

/** Runs one layer, shows what its sites read to a visitor, and returns the hidden state behind it. */
export async function visitTaps(
  context: NetworkContext,
  layer: Block,
  key: string,
  { graph, taps }: TappedLayer,
  input: {
    readonly feeds: Tensors;
    /** The modules that are looked at, by the sites' names. */
    readonly moduleOf: ReadonlyMap<string, string>;
    readonly counted: SiteInput["counted"];
    readonly index: number;
    readonly visit: VisitInput;
  },
): Promise<DeviceTensor> {
  const { backend } = context;
  const pass = await context.pass(key, () => graph);
  const outputs = await context.run(layer, pass, {
    feeds: input.feeds,
    buffers: new Map([
      [layerNames.output, "passing.0"],
      ...taps.map(({ output }) => [output, `calibration.${output}`] as const),
    ]),
  });
  const shares = outputs.get(attentionOutput);
  const attended = shares && attendedTo(await floats(backend, shares), input.counted);
  if (shares) backend.release(shares);
  for (const { output, sites, width } of taps) {
    const tensor = made(outputs, output);
    await input.visit({
      backend,
      modules: sites.flatMap((name) => input.moduleOf.get(name) ?? []),
      width,
      tensor,
      counted: input.counted,
      index: input.index,
      floats: () => floats(backend, tensor),
      ...(attended && { attended }),
    });
  }
  return made(outputs, layerNames.output);
}

/** Columns of [batch, queries, keys], over the queries that count [batch · queries]. */
function attendedTo(shares: Float32Array, counted: Uint8Array): Float32Array {
  const length = shares.length / counted.length;
  const sums = new Float32Array(counted.length);
  for (const [query, counts] of counted.entries()) {
    if (counts === 0) continue;
    const first = query - (query % length);
    for (let key = 0; key < length; key++)
      sums[first + key] = (sums[first + key] ?? NaN) + (shares[query * length + key] ?? NaN);
  }
  return sums;
}
