/** @file What a calibration set says of a layer's matrices, gathered in one pass: what the quantizer asked for, and no more. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { at, invariant } from "../../shared/errors.ts";
import { sum } from "../../shared/sums.ts";
import type { InputStatistics } from "../methods/start.ts";
import type { InputReducer } from "../network/calibration-inputs.ts";
import { columnStatistics, secondMoment } from "../network/calibration-inputs.ts";
import type { CalibrationBatch, SiteInput } from "../network/calibration.ts";
import type { HessianFactor } from "../quantizers/blocks/hessian-solver.ts";
import { factorHessian } from "../quantizers/blocks/hessian-solver.ts";
import type {
  FactorChoice,
  InputColumns,
  InputMoments,
  InputSample,
  QuantizeContext,
  QuantizerNeed,
  TokenWeights,
} from "../quantizers/context.ts";
import { fourBit } from "../runtime/four-bit.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { LayerParts, LayerWeights, States } from "./one-layer.ts";
import { passLayer } from "./one-layer.ts";

/** Rows of inputs that are kept, where they are asked for. */
const sampleRows = 512;

/** One distinct input of a layer, which some of its matrices read. */
export interface GatheredInput {
  readonly modules: readonly string[];
  readonly width: number;
  readonly columns: InputColumns | undefined;
  readonly moments: InputMoments | undefined;
  /** The same of rows times their tokens' weights. */
  readonly weighted: InputMoments | undefined;
  readonly sample: InputSample | undefined;
}

/** Gradients of the loss by a matrix of the float model; they take a pass over all of it. */
export interface LossGradients {
  gradient(module: string): Promise<Float32Array>;
  fisher(module: string): Promise<Float32Array>;
}

export async function gatherInputs(
  parts: LayerParts,
  setup: BlockSetup,
  weights: LayerWeights,
  batches: readonly CalibrationBatch[],
  states: States,
  modules: ReadonlySet<string>,
  { needs, tokens }: Gathering,
): Promise<readonly GatheredInput[]> {
  const rows = batches.reduce((sum, { counted }) => sum + countOf(counted), 0);
  const sequences = batches.reduce((sum, { batch }) => sum + batch.batch, 0);
  const reducers = new Map<string, Reducers>();
  await passLayer(parts, setup, weights, batches, states, {
    look: true,
    modules,
    attention: tokens !== undefined && tokens.known.size < batches.length,
    async visit(input) {
      if (tokens && input.attended) {
        const { length } = at(batches, input.index).batch;
        tokens.known.set(input.index, weightsOf(tokens, input, length));
      }
      const key = at(input.modules, 0);
      const own = reducers.get(key) ?? reducersOf(parts, input, { needs, tokens }, rows);
      reducers.set(key, own);
      for (const reducer of [own.moments, own.weighted, own.columns, own.sample])
        await reducer?.add(input);
    },
  });
  return [...reducers.values()].map(({ input, moments, weighted, columns, sample }) => ({
    modules: input.modules,
    width: input.width,
    columns: columns?.result(),
    sample: sample?.result(),
    moments: moments && momentsOf(moments.result(), input.width, sequences),
    weighted: weighted && momentsOf(weighted.result(), input.width, sequences),
  }));
}

/** What is gathered. */
export interface Gathering {
  readonly needs: ReadonlySet<QuantizerNeed>;
  /** Weights of a layer's tokens, by batch, from the first time that it is looked at on. */
  readonly tokens: (TokenWeights & { readonly known: Map<number, Float32Array> }) | undefined;
}

/** From what is attended to the tokens of sequences of `length`, least to most, to factors of their rows [batch · length]. */
export function weightsOf(
  { least, most, power }: TokenWeights,
  { attended, counted }: Pick<SiteInput, "attended" | "counted">,
  length: number,
): Float32Array {
  const factors = new Float32Array(counted.length);
  for (let from = 0; from < counted.length; from += length) {
    const own = Array.from({ length }, (_, i) => from + i).filter((row) => counted[row] === 1);
    const values = own.map((row) => attended?.[row] ?? NaN);
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    const span = values.reduce((a, b) => Math.max(a, b), -Infinity) - low;
    for (const [i, row] of own.entries()) {
      const share = span > 0 ? (at(values, i) - low) / span : 1;
      // Rows stand twice in a product of inputs with themselves.
      factors[row] = (least + (most - least) * share) ** (power / 2);
    }
  }
  return factors;
}

function countOf(counted: Uint8Array): number {
  return sum(counted);
}

interface Reducers {
  readonly input: Pick<SiteInput, "modules" | "width">;
  readonly moments: InputReducer<InputStatistics> | undefined;
  readonly weighted: InputReducer<InputStatistics> | undefined;
  readonly columns: InputReducer<InputColumns> | undefined;
  readonly sample: InputReducer<InputSample> | undefined;
}

function reducersOf(
  parts: LayerParts,
  { modules, width }: SiteInput,
  { needs, tokens }: Gathering,
  rows: number,
): Reducers {
  const factors = ({ index }: SiteInput): Float32Array => {
    const known = tokens?.known.get(index);
    invariant(known, "tokens were weighted before");
    return known;
  };
  return {
    input: { modules, width },
    moments: needs.has("moments") ? secondMoment(parts, width, { peak: false }) : undefined,
    weighted: tokens && secondMoment(parts, width, { peak: false, factors }),
    columns: needs.has("columns") ? columnStatistics(width) : undefined,
    sample: needs.has("inputs") ? sampleReducer(width, rows) : undefined,
  };
}

function momentsOf(
  { rows, secondMoment: data }: InputStatistics,
  width: number,
  sequences: number,
): InputMoments {
  // Products on a device need not be symmetric to the last bit.
  for (let i = 0; i < width; i++)
    for (let j = 0; j < i; j++) {
      const mean = ((data[i * width + j] ?? NaN) + (data[j * width + i] ?? NaN)) / 2;
      data[i * width + j] = mean;
      data[j * width + i] = mean;
    }
  return { rows, sequences, matrix: { rows: width, columns: width, data } };
}

/** {@link sampleRows} of `rows` rows that come, evenly. */
function sampleReducer(width: number, rows: number): InputReducer<InputSample> {
  const kept = Math.min(sampleRows, rows);
  const data = new Float32Array(kept * width);
  let seen = 0;
  let taken = 0;
  return {
    async add(input) {
      const x = await input.floats();
      for (const [row, counts] of input.counted.entries()) {
        if (counts === 0) continue;
        if (taken < kept && seen >= Math.floor((taken * rows) / kept)) {
          data.set(x.subarray(row * width, (row + 1) * width), taken * width);
          taken++;
        }
        seen++;
      }
    },
    result: () => ({ rows: taken, data: data.subarray(0, taken * width) }),
  };
}

/** What a quantizer may ask of one matrix. */
export function contextOf(
  linalg: Linalg,
  inputs: readonly GatheredInput[],
  losses: LossGradients | undefined,
  random: (module: string, stream: string) => () => number,
): (module: string) => QuantizeContext {
  const factors = new Map<string, Promise<HessianFactor>>();
  const there = <T>(value: T | undefined, what: string): Promise<T> => {
    invariant(value !== undefined, `the quantizer did not say that it reads ${what}`);
    return Promise.resolve(value);
  };
  return (module) => {
    const index = inputs.findIndex(({ modules }) => modules.includes(module));
    const input = inputs[index];
    return {
      linalg,
      fourBit,
      columns: () => there(input?.columns, "columns"),
      moments: () => there(input?.moments, "moments"),
      inputs: () => there(input?.sample, "inputs"),
      async factor({ weighted = false, ...options }: FactorChoice) {
        const { matrix } = await there(weighted ? input?.weighted : input?.moments, "moments");
        const key = `${index} ${weighted} ${JSON.stringify(options)}`;
        const known = factors.get(key) ?? factorHessian(linalg, matrix, options);
        factors.set(key, known);
        return known;
      },
      gradient: async () => (await there(losses, "gradients")).gradient(module),
      fisher: async () => (await there(losses, "Fisher information")).fisher(module),
      random: (stream) => random(module, stream),
    };
  };
}
