/** @file One layer of a model with its weights in memory, and the calibration set's states on their way through it. */
import { at, invariant } from "../../shared/errors.ts";
import type { Model } from "../models/architecture.ts";
import type { BaseWeights, HeldTensor } from "../network/base-weights.ts";
import { batchFeeds, shapeKey, shapeOf } from "../network/batch.ts";
import type { CalibrationBatch, VisitInput } from "../network/calibration.ts";
import { plainSetup, visitTaps } from "../network/calibration.ts";
import type { NetworkContext } from "../network/context.ts";
import { createContext, floats } from "../network/context.ts";
import { createFactors } from "../network/factors.ts";
import { embed, inferLayer } from "../network/passes.ts";
import { createParameters } from "../network/parameters.ts";
import type { ProgramCache } from "../network/program-cache.ts";
import { withUploads } from "../network/uploads.ts";
import { noState } from "../optimizers/define.ts";
import { layerNames } from "../programs/layer.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { tappedLayer } from "../programs/tapped-layer.ts";
import type { Backend } from "../runtime/backend.ts";

/** Tensors in float32 by the name of their source; one that is put in another's place counts from the next pass on. */
export type LayerWeights = ReadonlyMap<string, HeldTensor>;

/** Hidden states of each batch [batch · length, hidden]. */
export type States = readonly Float32Array[];

export interface LayerParts {
  readonly backend: Backend;
  readonly cache: ProgramCache;
  readonly model: Model;
  readonly setups: ReadonlyMap<string, BlockSetup>;
}

/** The states after the embedding. */
export async function embeddedStates(
  parts: LayerParts,
  weights: LayerWeights,
  batches: readonly CalibrationBatch[],
): Promise<States> {
  const context = contextWith(parts, undefined, weights);
  const states: Float32Array[] = [];
  for (const { batch } of batches)
    await withUploads(parts.backend, async (uploader) => {
      const feeds = batchFeeds(uploader, parts.model, batch);
      states.push((await floats(parts.backend, await embed(context, batch, feeds))).slice());
    });
  return states;
}

/** Runs a layer on every batch, in place, and shows what the sites in `modules` read. */
export async function passLayer(
  parts: LayerParts,
  setup: BlockSetup,
  weights: LayerWeights,
  batches: readonly CalibrationBatch[],
  states: States,
  options: {
    /** Where results go; the states themselves where not given, nowhere where `look`. */
    readonly look?: boolean;
    readonly modules?: ReadonlySet<string>;
    readonly visit?: VisitInput;
    /** Also what tokens attend to. */
    readonly attention?: boolean;
  } = {},
): Promise<void> {
  const { look = false, visit, modules = new Set(), attention = false } = options;
  const { backend, model } = parts;
  const context = contextWith(parts, setup, weights);
  const layer = at(context.layers, 0);
  const moduleOf = new Map(
    setup.spec.linears.flatMap(({ name, module }) =>
      modules.has(module) ? [[name, module] as const] : [],
    ),
  );
  for (const [index, { batch, counted }] of batches.entries())
    await withUploads(backend, async (uploader) => {
      const shape = shapeOf(batch);
      const state = at(states, index);
      const hidden = uploader.upload(
        "float32",
        [batch.batch * batch.length, model.sizes.hidden],
        state,
      );
      const feeds = new Map([
        ...batchFeeds(uploader, model, batch),
        [layerNames.hidden, hidden] as const,
      ]);
      if (!visit || moduleOf.size === 0) {
        const output = await inferLayer(context, 0, batch, feeds, hidden);
        if (!look) state.set(await floats(backend, output));
        return;
      }
      const wanted = new Set(moduleOf.keys());
      const tapped = tappedLayer(model, plainSetup(layer.setup), shape, wanted, attention);
      const key = `tapped ${attention} ${shapeKey(shape)}`;
      const output = await visitTaps(context, layer, key, tapped, {
        feeds,
        moduleOf,
        counted,
        index,
        visit,
      });
      if (!look) state.set(await floats(backend, output));
    });
}

/**
 * A network of the embedding, at most one layer, and the head, of which only what `weights` has can be run. A
 * new one for each layer lets go of the weights of the one before.
 */
export function contextWith(
  { backend, cache, model, setups }: LayerParts,
  layer: BlockSetup | undefined,
  weights: LayerWeights,
): NetworkContext {
  const blocks = model.blocks.filter(({ kind, id }) => kind !== "layer" || id === layer?.spec.id);
  const float = new Map(
    blocks.map(({ id }) => {
      const setup = id === layer?.spec.id ? layer : setups.get(id);
      invariant(setup, `block ${id} was not set up`);
      return [id, { ...plainSetup(setup), storage: new Map() }] as const;
    }),
  );
  return createContext({
    backend,
    cache,
    model: { ...model, blocks },
    setups: float,
    base: hostBase(weights),
    parameters: createParameters([], noState),
    factors: createFactors([]),
    checkpointing: false,
    drawMask: () => undefined,
  });
}

/** Weights of the host; those that are not there have no elements and are never run. */
function hostBase(weights: LayerWeights): BaseWeights {
  const nothing: HeldTensor = { type: "float32", shape: [0], data: new Float32Array(0) };
  const get = (source: string): HeldTensor => weights.get(source) ?? nothing;
  return {
    get,
    replace: () => undefined,
    overlay: () => undefined,
    decode(source) {
      const tensor = get(source);
      invariant(tensor.type === "float32", "a layer that is looked at is held in float32");
      return tensor.data;
    },
    rows: () => undefined,
    bytes: { quantized: 0, plain: 0 },
  };
}
