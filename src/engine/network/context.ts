/** @file What all passes over a network share: its blocks with their bindings, compiled passes, and how one is run. */
import { invariant } from "../../shared/errors.ts";
import type { Graph } from "../core/graph.ts";
import type { Model } from "../models/architecture.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { trainedTensors } from "../programs/setup.ts";
import { sidePlace } from "../programs/side.ts";
import type { Backend, DeviceTensor, Tensors } from "../runtime/backend.ts";
import type { BaseWeights } from "./base-weights.ts";
import { createBindings } from "./bindings.ts";
import type { BlockBindings, DrawMask } from "./bindings.ts";
import { createBuffers } from "./buffers.ts";
import type { Buffers } from "./buffers.ts";
import type { Factors } from "./factors.ts";
import { factorTensors } from "./factors.ts";
import { createFrozenTensors } from "./frozen-tensors.ts";
import type { Parameters } from "./parameters.ts";
import { compilePipeline } from "./pipeline.ts";
import type { Pipeline } from "./pipeline.ts";
import { createProgramCache } from "./program-cache.ts";
import type { ProgramCache } from "./program-cache.ts";
import { createTrainedTensors } from "./trained-tensors.ts";
import type { TrainedTensors } from "./trained-tensors.ts";
import type { BeforeWords } from "./virtual-tokens.ts";
import { beforeWords } from "./virtual-tokens.ts";

export interface NetworkOptions {
  readonly backend: Backend;
  readonly model: Model;
  /** By block id. */
  readonly setups: ReadonlyMap<string, BlockSetup>;
  readonly base: BaseWeights;
  readonly parameters: Parameters;
  readonly factors: Factors;
  /** Keep only each layer's input for the backward pass, and compute the rest again. */
  readonly checkpointing: boolean;
  readonly drawMask: DrawMask;
  /** Programs of another network on the same backend; its own where not given. */
  readonly cache?: ProgramCache;
}

/** A block that a network runs. */
export interface Block {
  readonly setup: BlockSetup;
  readonly bindings: BlockBindings;
  /** Whether anything in it trains. */
  readonly trains: boolean;
}

/** What one run adds to the block's own tensors. */
export interface RunPlace {
  readonly feeds: ReadonlyMap<string, DeviceTensor>;
  /** The buffer of an output, by name; outputs without one are allocated. */
  readonly buffers: ReadonlyMap<string, string>;
}

export interface NetworkContext {
  readonly backend: Backend;
  readonly model: Model;
  readonly cache: ProgramCache;
  readonly buffers: Buffers;
  readonly parameters: Parameters;
  readonly factors: Factors;
  readonly trained: TrainedTensors;
  readonly checkpointing: boolean;
  readonly drawMask: DrawMask;
  readonly embedding: Block;
  readonly layers: readonly Block[];
  readonly head: Block;
  readonly before: BeforeWords;
  /** Width of the side network's state, where there is one. */
  readonly narrow: number | undefined;
  /** The compiled pass of this key, traced the first time. */
  pass(key: string, trace: () => Graph): Promise<Pipeline>;
  /** Runs a pass of a block; outputs with a buffer stay there, gradients are summed. The caller releases the others. */
  run(block: Block, pass: Pipeline, place: RunPlace): Promise<Tensors>;
}

export function createContext(options: NetworkOptions): NetworkContext {
  const { backend, model, parameters, factors, base } = options;
  const cache = options.cache ?? createProgramCache(backend);
  const buffers = createBuffers(backend);
  const trained = createTrainedTensors(backend, parameters);
  const frozen = createFrozenTensors({ backend, cache, base, buffers });
  const factor = factorTensors(backend, factors);
  const blocks = model.blocks.map((spec): Block => {
    const setup = options.setups.get(spec.id);
    invariant(setup, `block ${spec.id} was not set up`);
    return {
      setup,
      bindings: createBindings(setup, { backend, base, frozen, trained, factor, buffers }),
      trains: trainedTensors(setup).length > 0,
    };
  });
  const only = (kind: BlockSetup["spec"]["kind"]): Block => {
    const block = blocks.find(({ setup }) => setup.spec.kind === kind);
    invariant(block, `the model has no ${kind}`);
    return block;
  };
  const passes = new Map<string, Promise<Pipeline>>();
  return {
    backend,
    model,
    cache,
    buffers,
    parameters,
    factors,
    trained,
    checkpointing: options.checkpointing,
    drawMask: options.drawMask,
    embedding: only("embedding"),
    layers: blocks.filter(({ setup }) => setup.spec.kind === "layer"),
    head: only("head"),
    before: beforeWords(options.setups.values()),
    narrow: sidePlace(only("embedding").setup)?.narrow?.sizes.hidden,
    pass(key, trace) {
      const known = passes.get(key);
      if (known) return known;
      const made = compilePipeline(cache, buffers, trace());
      passes.set(key, made);
      return made;
    },
    async run({ setup, bindings }, pass, { feeds, buffers: names }) {
      const outputs = await pass.run({
        feed(name) {
          const tensor = feeds.get(name) ?? bindings.feed(name);
          invariant(tensor, `block ${setup.spec.id} was given no ${name}`);
          return tensor;
        },
        decode: (name) => bindings.decode(name),
        into(name, dtype, shape) {
          const buffer = names.get(name);
          return buffer === undefined
            ? bindings.gradient(name)
            : buffers.into(buffer, dtype, shape);
        },
      });
      for (const [name, tensor] of outputs) {
        const buffer = names.get(name);
        if (buffer === undefined) bindings.keepGradient(name, tensor);
        else buffers.keep(buffer, tensor);
      }
      return outputs;
    },
  };
}

/** The elements of a float32 tensor on the host. */
export async function floats(backend: Backend, tensor: DeviceTensor): Promise<Float32Array> {
  const data = await backend.download(tensor);
  invariant(data instanceof Float32Array, "a float32 tensor holds other data");
  return data;
}
