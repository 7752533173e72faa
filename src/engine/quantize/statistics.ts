/** @file What a calibration set says of a layer's matrices, gathered in one pass: what the quantizer asked for, and no more. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { InputStatistics } from "../methods/start.ts";
import type { InputReducer } from "../network/calibration-inputs.ts";
import { secondMoment } from "../network/calibration-inputs.ts";
import type { CalibrationBatch, SiteInput } from "../network/calibration.ts";
import type { FactorOptions, HessianFactor } from "../quantizers/blocks/hessian-solver.ts";
import { factorHessian } from "../quantizers/blocks/hessian-solver.ts";
import type {
  InputColumns,
  InputMoments,
  InputSample,
  QuantizeContext,
  QuantizerNeed,
} from "../quantizers/context.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { LayerParts, LayerWeights, States } from "./one-layer.ts";
import { passLayer } from "./one-layer.ts";

/** Rows of inputs that are kept, where they are asked for. */
export const sampleRows = 512;

/** One distinct input of a layer, which some of its matrices read. */
export interface GatheredInput {
  readonly modules: readonly string[];
  readonly width: number;
  readonly columns: InputColumns | undefined;
  readonly moments: InputMoments | undefined;
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
  needs: ReadonlySet<QuantizerNeed>,
): Promise<readonly GatheredInput[]> {
  const rows = batches.reduce((sum, { counted }) => sum + countOf(counted), 0);
  const sequences = batches.reduce((sum, { batch }) => sum + batch.batch, 0);
  const reducers = new Map<string, Reducers>();
  await passLayer(parts, setup, weights, batches, states, {
    look: true,
    modules,
    async visit(input) {
      const key = at(input.modules, 0);
      const own = reducers.get(key) ?? reducersOf(parts, input, needs, rows);
      reducers.set(key, own);
      for (const reducer of [own.moments, own.columns, own.sample]) await reducer?.add(input);
    },
  });
  return [...reducers.values()].map(({ input, moments, columns, sample }) => ({
    modules: input.modules,
    width: input.width,
    columns: columns?.result(),
    sample: sample?.result(),
    moments: moments && momentsOf(moments.result(), input.width, sequences),
  }));
}

function countOf(counted: Uint8Array): number {
  return counted.reduce((sum, one) => sum + one, 0);
}

interface Reducers {
  readonly input: Pick<SiteInput, "modules" | "width">;
  readonly moments: InputReducer<InputStatistics> | undefined;
  readonly columns: InputReducer<InputColumns> | undefined;
  readonly sample: InputReducer<InputSample> | undefined;
}

function reducersOf(
  parts: LayerParts,
  { modules, width }: SiteInput,
  needs: ReadonlySet<QuantizerNeed>,
  rows: number,
): Reducers {
  return {
    input: { modules, width },
    moments: needs.has("moments") ? secondMoment(parts, width, { peak: false }) : undefined,
    columns: needs.has("columns") ? columnReducer(width) : undefined,
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

/** Sums and extremes of each column. */
export function columnReducer(width: number): InputReducer<InputColumns> {
  const low = new Float32Array(width).fill(Infinity);
  const high = new Float32Array(width).fill(-Infinity);
  const squares = new Float64Array(width);
  const magnitudes = new Float64Array(width);
  let rows = 0;
  return {
    async add(input) {
      const { counted } = input;
      const x = await input.floats();
      for (const [row, counts] of counted.entries()) {
        if (counts === 0) continue;
        rows++;
        for (let j = 0; j < width; j++) {
          const value = x[row * width + j] ?? NaN;
          if (value < (low[j] ?? NaN)) low[j] = value;
          if (value > (high[j] ?? NaN)) high[j] = value;
          squares[j] = (squares[j] ?? NaN) + value * value;
          magnitudes[j] = (magnitudes[j] ?? NaN) + Math.abs(value);
        }
      }
    },
    result: () => ({
      rows,
      low,
      high,
      squares,
      magnitudes,
      absmax: low.map((least, j) => Math.max(-least, high[j] ?? NaN)),
    }),
  };
}

/** {@link sampleRows} of `rows` rows that come, evenly. */
export function sampleReducer(width: number, rows: number): InputReducer<InputSample> {
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
      columns: () => there(input?.columns, "columns"),
      moments: () => there(input?.moments, "moments"),
      inputs: () => there(input?.sample, "inputs"),
      async factor(options: FactorOptions) {
        const { matrix } = await there(input?.moments, "moments");
        const key = `${index} ${JSON.stringify(options)}`;
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
