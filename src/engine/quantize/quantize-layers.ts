/** @file Quantizes a model layer by layer: one layer in memory, a float and a quantized stream of states side by side. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { at, invariant, UserError } from "../../shared/errors.ts";
import type { LinearSpec, TensorSpec } from "../models/architecture.ts";
import type { HeldTensor } from "../network/base-weights.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { kindOf } from "../programs/setup.ts";
import type {
  InputMoments,
  LayerContext,
  QuantizerNeed,
  SiteMatrix,
} from "../quantizers/context.ts";
import type { BoundQuantizer, QuantizeMatrix } from "../quantizers/define.ts";
import type { PackedFormat, PackedMatrix } from "../quantizers/packed.ts";
import { expanded, storedBytes } from "../quantizers/packed.ts";
import { layerContextOf } from "./layer-context.ts";
import type { MatrixError } from "./matrix-error.ts";
import { matrixError } from "./matrix-error.ts";
import type { LayerParts, States } from "./one-layer.ts";
import { embeddedStates, passLayer } from "./one-layer.ts";
import type { LayerResult, Parts } from "./parts.ts";
import type { GatheredInput, Gathering, LossGradients } from "./statistics.ts";
import { contextOf, gatherInputs } from "./statistics.ts";

export interface QuantizeParts extends LayerParts {
  readonly linalg: Linalg;
  readonly quantizer: BoundQuantizer;
  readonly formats: readonly PackedFormat[];
  /** Nothing where the quantizer reads no data and nobody wants errors. */
  readonly batches: readonly CalibrationBatch[];
  readonly losses: LossGradients | undefined;
  readonly random: (module: string, stream: string) => () => number;
  /** A tensor in float32 and in our orientation. */
  readonly read: (tensor: TensorSpec) => Promise<Float32Array>;
  /** Modules that stay as they are. */
  readonly skips: (linear: LinearSpec) => boolean;
}

/** What is known of a layer that was quantized. */
export interface LayerReport {
  readonly layer: number;
  readonly matrices: readonly MatrixReport[];
  /** Σ (output − float output)² over Σ float output², the float stream's inputs on the one side, the quantized one's on the other. */
  readonly outputError?: number;
  readonly seconds: number;
}

export interface MatrixReport extends MatrixError {
  readonly module: string;
  readonly kind: string;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: number;
}

export interface LayerProgress {
  readonly layer: number;
  readonly layers: number;
  /** Or what else of the layer is at work. */
  readonly module?: string;
  /** How much of the layer is done, 0 to 1: counted work, of which each kind is taken to last as long as it mostly does. */
  readonly share: number;
}

/** The layer blocks of a model, with the linear sites that are to be quantized. */
export function layersOf({
  model,
  setups,
  skips,
}: Pick<QuantizeParts, "model" | "setups" | "skips">) {
  return model.blocks
    .filter(({ kind }) => kind === "layer")
    .map((spec) => {
      const setup = setups.get(spec.id);
      invariant(setup, `block ${spec.id} was not set up`);
      return { setup, linears: spec.linears.filter((linear) => !skips(linear)) };
    });
}

/** Quantizes every layer that `parts` has not done yet; yields the report of each, those of before too. */
export async function* quantizeLayers(
  parts: QuantizeParts,
  done: Parts | undefined,
  now: () => number,
  onProgress: (progress: LayerProgress) => void,
): AsyncGenerator<LayerReport> {
  const { batches, model } = parts;
  const layers = layersOf(parts);
  const streams = await openStreams(parts);
  for (const [index, { setup, linears }] of layers.entries()) {
    onProgress({ layer: index, layers: layers.length, share: 0 });
    const started = now();
    const weights = await readLayer(parts, setup);
    const float = new Map(weights);
    const telling = (share: number, module: string): void => {
      onProgress({ layer: index, layers: layers.length, module, share });
    };
    // The float stream's states after this layer; what it reads is not needed again.
    if (streams) {
      telling(0, "float outputs");
      await passLayer(parts, setup, float, batches, streams.float);
    }
    // Later layers read what inputs that are rounded too make of this one.
    const rounding = parts.quantizer.inputs;
    const sites = new Set(linears.map(({ name }) => name));
    const measured = { ...setup, ...(rounding && { inputs: { rounding, sites } }) };
    if (done && index < done.done()) {
      const result = await done.load(index);
      if (streams) {
        putInPlace(parts, weights, result);
        await passLayer(parts, measured, weights, batches, streams.quantized);
      }
      yield reportOf(result.about);
      continue;
    }
    const { matrices, changed, reports } = await quantizeLayer(parts, {
      setup,
      linears,
      weights,
      float,
      streams,
      progress: telling,
    });
    let outputError: number | undefined;
    if (streams) {
      putInPlace(parts, weights, { matrices, changed });
      telling(shares.matrices, "quantized outputs");
      await passLayer(parts, measured, weights, batches, streams.quantized);
      outputError = relativeError(streams.quantized, streams.float, batches);
    }
    const report: LayerReport = {
      layer: index,
      matrices: reports,
      ...(outputError === undefined ? {} : { outputError }),
      seconds: (now() - started) / 1000,
    };
    await done?.save(index, { matrices, changed, about: report });
    yield report;
  }
  invariant(layers.length > 0, `${model.modelType} has no layers`);
}

interface Streams {
  readonly float: States;
  readonly quantized: States;
}

export async function openStreams(parts: QuantizeParts): Promise<Streams | undefined> {
  const { batches, model, read } = parts;
  if (batches.length === 0) return undefined;
  const weights = new Map<string, HeldTensor>();
  for (const { kind, tensors } of model.blocks)
    if (kind === "embedding")
      for (const tensor of tensors)
        weights.set(tensor.source, {
          type: "float32",
          shape: tensor.shape,
          data: await read(tensor),
        });
  const float = await embeddedStates(parts, weights, batches);
  return { float, quantized: float.map((state) => state.slice()) };
}

export async function readLayer(
  { read }: QuantizeParts,
  setup: BlockSetup,
): Promise<Map<string, HeldTensor>> {
  const weights = new Map<string, HeldTensor>();
  for (const tensor of setup.spec.tensors)
    weights.set(tensor.source, { type: "float32", shape: tensor.shape, data: await read(tensor) });
  return weights;
}

interface LayerWork {
  readonly setup: BlockSetup;
  readonly linears: readonly LinearSpec[];
  readonly weights: Map<string, HeldTensor>;
  readonly float: ReadonlyMap<string, HeldTensor>;
  readonly streams: Streams | undefined;
  readonly progress: (share: number, module: string) => void;
}

/** Up to where in a layer each kind of work goes on, nearly, where it is done at all. */
const shares = { float: 0.05, inputs: 0.15, look: 0.6, matrices: 0.95 } as const;

interface QuantizedLayer {
  readonly matrices: ReadonlyMap<string, PackedMatrix>;
  readonly changed: ReadonlyMap<string, Float32Array>;
  readonly reports: readonly MatrixReport[];
}

async function quantizeLayer(parts: QuantizeParts, work: LayerWork): Promise<QuantizedLayer> {
  const { linalg, quantizer, batches } = parts;
  const { setup, linears, weights, streams } = work;
  const modules = new Set(linears.map(({ module }) => module));
  // Second moments are what errors of outputs are told by, whatever the quantizer reads.
  const needs = new Set<QuantizerNeed>([...quantizer.needs, "moments"]);
  const gathering: Gathering = {
    needs,
    tokens: quantizer.tokens && { ...quantizer.tokens, known: new Map() },
  };
  const gather = async (): Promise<readonly GatheredInput[]> =>
    streams
      ? gatherInputs(parts, setup, weights, batches, streams.quantized, modules, gathering)
      : [];
  const begun = streams ? shares.inputs : 0;
  work.progress(streams ? shares.float : 0, "inputs");
  let inputs = await gather();
  let of = contextOf(linalg, inputs, parts.losses, parts.random);
  const seen = { stale: false };
  const layer: LayerContext = layerContextOf({
    parts,
    linalg,
    setup,
    weights,
    batches,
    linears,
    states: streams?.quantized ?? [],
    targets: streams?.float ?? [],
    of: (module) => of(module),
    rescale(scaled, by) {
      inputs = inputs.map((input) =>
        input.modules.some((module) => scaled.includes(module)) ? divided(input, by) : input,
      );
      of = contextOf(linalg, inputs, parts.losses, parts.random);
    },
    regather() {
      seen.stale = true;
    },
    looked(share) {
      work.progress(begun + share * (shares.look - begun), "the layer");
    },
  });
  const each: QuantizeMatrix = await refusing(quantizer.layer(layer), setup.spec.id);
  if (seen.stale) {
    inputs = await gather();
    of = contextOf(linalg, inputs, parts.losses, parts.random);
  }
  const matrices = new Map<string, PackedMatrix>();
  const reports: MatrixReport[] = [];
  let before: GatheredInput | undefined;
  const from = quantizer.alone ? begun : shares.look;
  const all = linears.reduce((sum, { in: columns, out }) => sum + columns * out, 0);
  let weighed = 0;
  for (const matrix of layer.matrices()) {
    work.progress(from + (weighed / all) * (shares.matrices - from), matrix.module);
    weighed += matrix.rows * matrix.columns;
    const inputOf = () => inputs.find((one) => one.modules.includes(matrix.module));
    if (quantizer.sequential && before && before !== inputOf()) {
      // What reads anything else now reads what the matrices so far give quantized.
      putInPlace(parts, weights, { matrices, changed: new Map() });
      inputs = await gather();
      of = contextOf(linalg, inputs, parts.losses, parts.random);
    }
    before = inputOf();
    const packed = await refusing(each(matrix, of(matrix.module)), matrix.module);
    matrices.set(matrix.module, packed);
    reports.push(await reportOn(parts, matrix, packed, before));
  }
  const changed = new Map<string, Float32Array>();
  for (const [source, held] of weights) {
    const before = work.float.get(source);
    const ofMatrix = linears.some(({ module }) => source === `${module}.weight`);
    if (held.type === "float32" && before !== held && !ofMatrix) changed.set(source, held.data);
  }
  return { matrices, changed, reports };
}

async function reportOn(
  { linalg, formats }: QuantizeParts,
  matrix: SiteMatrix,
  packed: PackedMatrix,
  input: GatheredInput | undefined,
): Promise<MatrixReport> {
  const { module, rows, columns } = matrix;
  const values = expanded(packed, formats);
  return {
    module,
    kind: kindOf({ module }),
    rows,
    columns,
    bytes: storedBytes(packed),
    ...(await matrixError(linalg, matrix, values, input?.moments)),
  };
}

/** What a kernel or block refuses of a layer is the user's to know. */
async function refusing<T>(work: Promise<T>, where: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError({
      code: "cannot-quantize",
      message: `${where} cannot be quantized: ${error.message}`,
      remedy: "Choose other fields, or another quantizer.",
      cause: error,
    });
  }
}

/** The layer's weights as they will be read: matrices expanded, folded tensors in their place. */
function putInPlace(
  { formats }: QuantizeParts,
  weights: Map<string, HeldTensor>,
  { matrices, changed }: Pick<LayerResult, "matrices" | "changed">,
): void {
  const put = (source: string, data: Float32Array): void => {
    const held = weights.get(source);
    invariant(held, `${source} is no tensor of the layer`);
    weights.set(source, { type: "float32", shape: held.shape, data });
  };
  for (const [source, data] of changed) put(source, data);
  for (const [module, packed] of matrices) put(`${module}.weight`, expanded(packed, formats));
}

function divided(
  { columns, moments, weighted, sample, ...input }: GatheredInput,
  by: Float32Array,
): GatheredInput {
  const { width } = input;
  const s = (j: number): number => at(by, j % width);
  const both = (of: InputMoments): InputMoments => ({
    ...of,
    matrix: {
      ...of.matrix,
      data: of.matrix.data.map((value, i) => value / (s(Math.floor(i / width)) * s(i))),
    },
  });
  return {
    ...input,
    columns: columns && {
      rows: columns.rows,
      absmax: columns.absmax.map((value, j) => value / s(j)),
      low: columns.low.map((value, j) => value / s(j)),
      high: columns.high.map((value, j) => value / s(j)),
      squares: columns.squares.map((value, j) => value / s(j) ** 2),
      magnitudes: columns.magnitudes.map((value, j) => value / s(j)),
    },
    moments: moments && both(moments),
    weighted: weighted && both(weighted),
    sample: sample && { ...sample, data: sample.data.map((value, i) => value / s(i)) },
  };
}

/** Σ (a − b)² / Σ b² over the tokens that count. */
function relativeError(a: States, b: States, batches: readonly CalibrationBatch[]): number {
  let [difference, size] = [0, 0];
  for (const [index, state] of a.entries()) {
    const other = at(b, index);
    const { counted } = at(batches, index);
    const width = state.length / counted.length;
    for (let i = 0; i < state.length; i++) {
      if (counted[Math.floor(i / width)] === 0) continue;
      const value = other[i] ?? NaN;
      difference += ((state[i] ?? NaN) - value) ** 2;
      size += value * value;
    }
  }
  return difference / size;
}

function reportOf(about: unknown): LayerReport {
  invariant(isReport(about), "a finished layer has a report");
  return about;
}

function isReport(value: unknown): value is LayerReport {
  return typeof value === "object" && value !== null && "matrices" in value && "layer" in value;
}
