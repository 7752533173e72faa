/** @file Brings a set-up model onto a device: weights read, trained tensors started, passes ready to run. */
import { createNf4 } from "../../../kernels/nf4/index.ts";
import type { Nf4 } from "../../../kernels/nf4/index.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { createBaseWeights } from "../network/base-weights.ts";
import type { BaseWeights, HeldTensor } from "../network/base-weights.ts";
import type { NetworkContext, NetworkOptions } from "../network/context.ts";
import { createContext } from "../network/context.ts";
import type { Factors } from "../network/factors.ts";
import { createFactors } from "../network/factors.ts";
import { createDecoder } from "../network/decoder.ts";
import { createParameters } from "../network/parameters.ts";
import type { Parameters } from "../network/parameters.ts";
import type { StateLayout } from "../optimizers/define.ts";
import type { Storage } from "../programs/setup.ts";
import { storageOf } from "../programs/setup.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import type { Backend } from "../runtime/backend.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import type { Draw, OnProgress } from "./load-weights.ts";
import {
  drawFactors,
  holdValues,
  loadFrozen,
  readOriginal,
  startParameters,
} from "./load-weights.ts";
import type { ModelSetup } from "./set-up.ts";
import type { Rewritable } from "./start-tensors.ts";

export interface OpenNetwork extends Rewritable {
  readonly context: NetworkContext;
  readonly parameters: Parameters;
  readonly factors: Factors;
  /** The same base under another setup of methods, its tensors started anew. */
  readonly over: (setup: ModelSetup) => Promise<OpenNetwork>;
}

export interface OpenNetworkOptions {
  readonly backend: Backend;
  readonly setup: ModelSetup;
  readonly source: WeightSource;
  /** The optimizer's state; none for inference. */
  readonly layout: StateLayout;
  /** Whether blocks train by turns. */
  readonly byBlock?: boolean;
  readonly checkpointing: boolean;
  readonly draw: Draw;
  readonly drawMask: NetworkOptions["drawMask"];
  readonly onProgress: OnProgress;
}

export async function openNetwork(options: OpenNetworkOptions): Promise<OpenNetwork> {
  const { setup, source } = options;
  const nf4 = nf4Kernel(setup);
  const base = createBaseWeights(
    await loadFrozen(setup, source, nf4, options.onProgress),
    createDecoder(
      {
        half: largest(setup, ({ type }) => type === "float16" || type === "bfloat16"),
        packed: largest(setup, ({ type }) => type === "packed"),
      },
      nf4,
    ),
  );
  return networkOver(options, setup, base, nf4);
}

async function networkOver(
  options: OpenNetworkOptions,
  setup: ModelSetup,
  base: BaseWeights,
  nf4: Nf4 | undefined,
): Promise<OpenNetwork> {
  const { backend, source } = options;
  const parameters = createParameters(setup.trained, options.layout, {
    byBlock: options.byBlock ?? false,
  });
  await startParameters(setup, parameters, source, options.draw);
  const factors = createFactors(setup.factors);
  drawFactors(setup, factors, options.draw);
  const { model, setups } = setup;
  const { checkpointing, drawMask } = options;
  return {
    context: createContext({
      backend,
      model,
      setups,
      base,
      parameters,
      factors,
      checkpointing,
      drawMask,
    }),
    parameters,
    factors,
    base,
    over: (other) => networkOver(options, other, base, nf4),
    original: (tensor) => readOriginal(setup, source, tensor),
    rewrite(block, tensor, values) {
      const before = base.get(tensor.source);
      const packed = before.type === "packed" ? before.packed.reencode?.(values) : undefined;
      const held: HeldTensor = packed
        ? { type: "packed", shape: tensor.shape, packed }
        : holdValues(tensor, storageOf(block, tensor.name), values, nf4);
      base.replace(tensor.source, held);
    },
  };
}

function nf4Kernel(setup: ModelSetup): Nf4 | undefined {
  const scratchElements = largest(setup, ({ type }) => type === "nf4");
  if (scratchElements === 0) return undefined;
  const blockSize = Math.max(
    ...storages(setup).flatMap(([, storage]) =>
      storage.type === "nf4" ? [storage.blockSize] : [],
    ),
  );
  return createNf4(kernelBytes("nf4"), { scratchElements, blockSize });
}

/** Elements of the largest frozen tensor that is held so. */
function largest(setup: ModelSetup, held: (storage: Storage) => boolean): number {
  return Math.max(
    0,
    ...storages(setup).flatMap(([size, storage]) => (held(storage) ? [size] : [])),
  );
}

function storages(setup: ModelSetup): readonly (readonly [number, Storage])[] {
  return [...setup.setups.values()].flatMap((block) =>
    block.spec.tensors.map(
      ({ name, shape }) => [elementCount(shape), storageOf(block, name)] as const,
    ),
  );
}
