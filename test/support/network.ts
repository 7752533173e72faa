/** @file A network over given tensors, with LoRA or trained whole, on any backend; what tests of training share. */
import { lazyLinalg } from "../../src/engine/runtime/linalg.ts";
import assert from "node:assert/strict";
import { createNf4, nestScales, unnestScales } from "../../kernels/nf4/index.ts";
import type { Nf4 } from "../../kernels/nf4/index.ts";
import { lora } from "../../src/engine/methods/lora.ts";
import { targetSites } from "../../src/engine/methods/targets.ts";
import type { FullMatch, TargetFields } from "../../src/engine/methods/targets.ts";
import type { Model, TensorSpec } from "../../src/engine/models/architecture.ts";
import { createBaseWeights } from "../../src/engine/network/base-weights.ts";
import type { BaseWeights, Decoder, HeldTensor } from "../../src/engine/network/base-weights.ts";
import type { ModelBatch } from "../../src/engine/network/batch.ts";
import { createContext } from "../../src/engine/network/context.ts";
import type { NetworkContext } from "../../src/engine/network/context.ts";
import { openOptimizer } from "../../src/engine/network/device-optimizer.ts";
import type { Normals } from "../../src/engine/network/estimator.ts";
import type { Optimizer } from "../../src/engine/network/optimizer.ts";
import { createFactors } from "../../src/engine/network/factors.ts";
import { createParameters } from "../../src/engine/network/parameters.ts";
import type { Parameters, ParameterSpec } from "../../src/engine/network/parameters.ts";
import { createTrainer } from "../../src/engine/network/training.ts";
import type { TrainBatch } from "../../src/engine/network/training.ts";
import { adamw } from "../../src/engine/optimizers/adamw.ts";
import type { BoundRule } from "../../src/engine/optimizers/define.ts";
import type { BlockSetup, SiteMethod, Storage } from "../../src/engine/programs/setup.ts";
import { parameterName, trainedTensors } from "../../src/engine/programs/setup.ts";
import { tensorFacts } from "../../src/engine/programs/tensor-facts.ts";
import type { Backend } from "../../src/engine/runtime/backend.ts";
import { kernelBytes } from "../../src/engine/runtime/kernels.ts";
import { elementCount } from "../../src/shared/dtypes.ts";
import { at } from "../../src/shared/errors.ts";

/** What trains: nothing, everything, or LoRA at some sites with the classification head, as peft sets it up. */
export type Training =
  | { readonly kind: "none" }
  | { readonly kind: "full" }
  | { readonly kind: "lora"; readonly lora: LoraFields; readonly targets?: Partial<TargetFields> };

export interface LoraFields {
  readonly r: number;
  readonly alpha: number;
  readonly use_rslora: boolean;
}

export interface NetworkParts {
  readonly backend: Backend;
  readonly model: Model;
  /** A tensor of the checkpoint or a factor (`module#A`), in the checkpoint's orientation. */
  readonly read: (name: string) => Float32Array;
  readonly training: Training;
  /** How frozen tensors are held; float32 where not given. Norms and biases always are. */
  readonly storage?: (tensor: TensorSpec) => Storage;
  readonly checkpointing?: boolean;
  readonly optimizer?: BoundRule;
  /** Whether blocks train by turns. */
  readonly byBlock?: boolean;
  /** What a rule with noise draws. */
  readonly normals?: Normals;
}

export interface TestNetwork {
  readonly context: NetworkContext;
  readonly base: BaseWeights;
  readonly parameters: Parameters;
  readonly optimizer: Optimizer;
  readonly train: TrainBatch;
}

/** Python's fullmatch, as far as module names need it. */
export const fullMatch: FullMatch = (pattern, text) =>
  new RegExp(`^(?:${pattern})$`, "u").test(text);

const everyLinear: TargetFields = {
  target_modules: "all-linear",
  exclude_modules: null,
  layers_to_transform: null,
  layers_pattern: null,
  modules_to_save: [],
};

export function buildNetwork(parts: NetworkParts): TestNetwork {
  const {
    backend,
    model,
    optimizer: rule = adamw.bind({ betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 }),
  } = parts;
  const setups = setUp(parts);
  const tensors = new Map(
    model.blocks.flatMap((block) =>
      block.tensors.map((tensor) => [tensor.source, tensor] as const),
    ),
  );
  const specs = new Map<string, ParameterSpec>();
  for (const setup of setups.values())
    for (const { name, shape } of trainedTensors(setup)) {
      const full = parameterName(setup.spec, name);
      const role = tensors.get(full)?.role;
      specs.set(full, {
        name: full,
        shape,
        decays: role !== "norm" && role !== "bias",
        ...tensorFacts(model, setup, name),
        blocks: [...(specs.get(full)?.blocks ?? []), setup.spec.id],
      });
    }
  const parameters = createParameters([...specs.values()], rule, {
    byBlock: parts.byBlock ?? false,
  });
  for (const { name, weight } of parameters.all.values()) {
    const tensor = tensors.get(name);
    weight.set(tensor ? oriented(tensor, parts.read(name)) : parts.read(name));
  }
  const base = createBaseWeights(heldTensors(setups, parts), newDecoder(tensors));
  const context = createContext({
    backend,
    model,
    setups,
    base,
    parameters,
    factors: createFactors([]),
    checkpointing: parts.checkpointing ?? false,
    drawMask: () => assert.fail("nothing drops out"),
  });
  return {
    context,
    base,
    parameters,
    optimizer: openOptimizer(context, rule, {
      linalg: lazyLinalg(),
      ...(parts.normals && { normals: parts.normals }),
    }),
    train: createTrainer(context),
  };
}

/** A tensor of the checkpoint in the engine's orientation, [out, in]. */
export function oriented({ transposed, shape }: TensorSpec, stored: Float32Array): Float32Array {
  if (!transposed) return stored;
  const [out, width] = [at(shape, 0), at(shape, 1)];
  return stored.map((_, place) => at(stored, (place % width) * out + Math.floor(place / width)));
}

/** The other way round: elements in the order of the checkpoint. */
export function stored(tensor: TensorSpec | undefined, values: Float32Array): Float32Array {
  if (!tensor?.transposed) return values;
  const [out, width] = [at(tensor.shape, 0), at(tensor.shape, 1)];
  return values.map((_, place) => at(values, (place % out) * width + Math.floor(place / out)));
}

export interface TrainingRun {
  readonly losses: readonly number[];
  /** ‖gradient‖ before clipping. */
  readonly gradientNorms: readonly number[];
}

/** Steps on batches in turn, the mean loss of a batch's scored rows each; clipped where `maxGradNorm` is given. */
export async function trainSteps(
  { optimizer, train }: TestNetwork,
  batches: readonly ModelBatch[],
  options: { readonly steps: number; readonly lr: number; readonly maxGradNorm?: number },
): Promise<TrainingRun> {
  const losses: number[] = [];
  const gradientNorms: number[] = [];
  for (let t = 1; t <= options.steps; t++) {
    const batch = at(batches, (t - 1) % batches.length);
    const count = scoredRows(batch);
    optimizer.zeroGradients();
    losses.push((await train(batch, 1 / count)) / count);
    const norm = await optimizer.gradientNorm();
    gradientNorms.push(norm);
    const { lr, maxGradNorm = Infinity } = options;
    await optimizer.step({ t, lr, gradientScale: Math.min(1, maxGradNorm / (norm + 1e-6)) });
  }
  return { losses, gradientNorms };
}

/** Rows that have a loss. */
export function scoredRows({ targets, rows }: ModelBatch): number {
  return targets.kind === "values"
    ? rows.length
    : targets.labels.filter((label) => label >= 0).length;
}

function setUp({ model, training, storage }: NetworkParts): ReadonlyMap<string, BlockSetup> {
  const sites =
    training.kind === "lora" ? loraSites(model, training) : new Map<string, SiteMethod>();
  return new Map(
    model.blocks.map((spec) => {
      const trained = new Set(
        spec.tensors
          .filter(({ source }) => trains(training, model, source))
          .map(({ name }) => name),
      );
      const held = spec.tensors
        .filter(
          ({ name, role }) => !trained.has(name) && (role === "linear" || role === "embedding"),
        )
        .map((tensor) => [tensor.name, storage?.(tensor) ?? { type: "float32" }] as const);
      const own = spec.linears.flatMap(({ name, module }) => {
        const site = sites.get(module);
        return site ? [[name, site] as const] : [];
      });
      return [spec.id, { spec, trained, storage: new Map(held), sites: new Map(own) }];
    }),
  );
}

function loraSites(
  model: Model,
  training: Training & { readonly kind: "lora" },
): ReadonlyMap<string, SiteMethod> {
  const { sites, findings } = targetSites(
    model,
    { ...everyLinear, ...training.targets },
    fullMatch,
  );
  assert.deepEqual(findings, []);
  const method = lora.bind(training.lora);
  return new Map(
    sites.map((linear) => [linear.module, { method, params: method.params(linear), dropout: 0 }]),
  );
}

function trains({ kind }: Training, { headModule }: Model, source: string): boolean {
  if (kind !== "lora") return kind === "full";
  return headModule !== undefined && source.startsWith(`${headModule}.`);
}

function heldTensors(
  setups: ReadonlyMap<string, BlockSetup>,
  { read }: NetworkParts,
): ReadonlyMap<string, HeldTensor> {
  const held = new Map<string, HeldTensor>();
  for (const { spec, trained, storage } of setups.values())
    for (const tensor of spec.tensors)
      if (!trained.has(tensor.name) && !held.has(tensor.source))
        held.set(
          tensor.source,
          hold(tensor, oriented(tensor, read(tensor.source)), storage.get(tensor.name)),
        );
  return held;
}

function hold(
  { shape }: TensorSpec,
  values: Float32Array,
  storage: Storage | undefined,
): HeldTensor {
  switch (storage?.type) {
    case undefined:
    case "float32":
      return { type: "float32", shape, data: values };
    case "float16":
      return { type: "float16", shape, data: new Uint16Array(Float16Array.from(values).buffer) };
    case "bfloat16":
      return {
        type: "bfloat16",
        shape,
        data: Uint16Array.from(new Uint32Array(values.slice().buffer), (bits) => bits >>> 16),
      };
    case "nf4":
      return packed(shape, values);
    case "packed": {
      const expand = (into: Float32Array): void => into.set(values);
      return { type: "packed", shape, packed: { bytes: values.byteLength, expand } };
    }
  }
}

function packed(shape: readonly number[], values: Float32Array): HeldTensor {
  const quantized = newNf4(0).quantize(values);
  assert(quantized.kind === "quantized");
  const { codes, absmax } = quantized;
  const scales = nestScales(absmax);
  const unnested = unnestScales(scales);
  return {
    type: "nf4",
    shape,
    packed: {
      codes,
      scales,
      blockSize: 64,
      count: values.length,
      absmax: (into) => into.set(unnested),
      bytes: codes.length + scales.codes.length + 4 * scales.absmax.length + 4,
    },
  };
}

function newNf4(scratchElements: number): Nf4 {
  return createNf4(kernelBytes("nf4"), { scratchElements });
}

/** Decodes into one buffer, as the engine does: what reads a decoded weight too late reads another's. */
function newDecoder(tensors: ReadonlyMap<string, TensorSpec>): Decoder {
  const most = Math.max(...[...tensors.values()].map(({ shape }) => elementCount(shape)));
  const buffer = new Float32Array(most);
  let nf4: Nf4 | undefined;
  return {
    half(data, type) {
      const into = buffer.subarray(0, data.length);
      if (type === "float16") into.set(new Float16Array(data.buffer, data.byteOffset, data.length));
      else
        new Uint32Array(into.buffer, 0, data.length).set(
          Uint32Array.from(data, (bits) => bits << 16),
        );
      return into;
    },
    nf4({ codes, scales, count }) {
      nf4 ??= newNf4(most);
      return nf4.decode(codes, scales, 0, count);
    },
    packed({ expand }, count) {
      expand(buffer.subarray(0, count));
      return buffer.subarray(0, count);
    },
  };
}
