/** @file A matrix with inputs to quantize: correlated by chance from a seed, with whatever a quantizer reads of them. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { factorHessian, proxyError } from "../../../src/engine/quantizers/blocks/hessian-solver.ts";
import type {
  InputColumns,
  LayerContext,
  MatrixShape,
  QuantizeContext,
  SiteMatrix,
} from "../../../src/engine/quantizers/context.ts";
import type { Quantizer } from "../../../src/engine/quantizers/define.ts";
import type { PackedMatrix } from "../../../src/engine/quantizers/packed.ts";
import { expanded } from "../../../src/engine/quantizers/packed.ts";
import { fourBit } from "../../../src/engine/runtime/four-bit.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";

let opened: Linalg | undefined;

/** One for all tests of a process. */
export function linalg(): Linalg {
  return (opened ??= createLinalg(kernelBytes("linalg")));
}

/** Numbers in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normal(next: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Weights of a normal distribution. */
export function weights({ rows, columns }: MatrixShape, seed = 1): SiteMatrix {
  const draw = normal(uniform(seed));
  return {
    module: "layers.0.q_proj",
    kind: "q_proj",
    rows,
    columns,
    data: Float32Array.from({ length: rows * columns }, () => 0.05 * draw()),
  };
}

/** Inputs [count, width] that move together, some of them much larger than others. */
export function inputs(count: number, width: number, seed = 2): Float32Array {
  const draw = normal(uniform(seed));
  const sizes = Float64Array.from({ length: width }, () => Math.exp(draw()));
  const x = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    let before = draw();
    for (let j = 0; j < width; j++) {
      before = 0.8 * before + 0.6 * draw();
      x[row * width + j] = before * (sizes[j] ?? 1);
    }
  }
  return x;
}

/** What quantizers read of a matrix with these inputs; gradients are drawn. */
export function contextOf({ rows, columns, module }: SiteMatrix, x: Float32Array): QuantizeContext {
  const count = x.length / columns;
  const moments = () =>
    Promise.resolve({ rows: count, sequences: 1, matrix: secondMoments(x, columns) });
  const drawn = (seed: number) => {
    const draw = normal(uniform(seed));
    return Float32Array.from({ length: rows * columns }, () => 0.01 * draw());
  };
  return {
    linalg: linalg(),
    fourBit,
    columns: () => Promise.resolve(columnsOf(x, columns)),
    inputs: () => Promise.resolve({ rows: count, data: x }),
    moments,
    factor: async ({ weighted = false, ...options }) =>
      factorHessian(
        linalg(),
        weighted ? weightedMoments(x, columns) : (await moments()).matrix,
        options,
      ),
    gradient: () => Promise.resolve(drawn(11)),
    fisher: () => Promise.resolve(drawn(12).map((g) => g * g)),
    random: (stream) =>
      uniform(Array.from(`${module}${stream}`).reduce((h, c) => h * 31 + c.charCodeAt(0), 7)),
  };
}

/** A layer of this one matrix, whose output is the matrix's own. */
export function layerOf(matrix: SiteMatrix, x: Float32Array): LayerContext {
  const { rows, columns, module, data } = matrix;
  const count = x.length / columns;
  const errorOf = (w: Float32Array) => {
    const gradient = new Float64Array(rows * columns);
    const moments = secondMoments(x, columns).data;
    let error = 0;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < columns; k++) {
          const d = (w[i * columns + k] ?? NaN) - (data[i * columns + k] ?? NaN);
          sum += d * (moments[k * columns + j] ?? NaN);
        }
        gradient[i * columns + j] = (2 * sum) / (count * rows);
        error += sum * ((w[i * columns + j] ?? NaN) - (data[i * columns + j] ?? NaN));
      }
    return { error: error / (count * rows), gradient: Float32Array.from(gradient) };
  };
  return {
    linalg: linalg(),
    matrices: () => [matrix],
    chains: [],
    of: () => contextOf(matrix, x),
    scale: () => undefined,
    shift: () => undefined,
    looked: () => undefined,
    error: (replaced) => Promise.resolve(errorOf(replaced.get(module) ?? data).error),
    gradients: (replaced) => {
      const { error, gradient } = errorOf(replaced.get(module) ?? data);
      return Promise.resolve({ error, gradients: new Map([[module, gradient]]) });
    },
  };
}

/** Σ xᵀx [width, width]. */
export function secondMoments(x: Float32Array, width: number) {
  const data = new Float64Array(width * width);
  for (let from = 0; from < x.length; from += width)
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++)
        data[i * width + j] = (data[i * width + j] ?? 0) + (x[from + i] ?? 0) * (x[from + j] ?? 0);
  return { rows: width, columns: width, data };
}

/** The same with every other row counting three times as much. */
function weightedMoments(x: Float32Array, width: number) {
  return secondMoments(
    x.map((value, i) => (Math.floor(i / width) % 2 === 0 ? value : value * 3)),
    width,
  );
}

function columnsOf(x: Float32Array, width: number): InputColumns {
  const rows = x.length / width;
  const column = (j: number) => Array.from({ length: rows }, (_, row) => x[row * width + j] ?? NaN);
  const by = (of: (values: readonly number[]) => number) =>
    Array.from({ length: width }, (_, j) => of(column(j)));
  return {
    rows,
    absmax: Float32Array.from(by((v) => Math.max(...v.map(Math.abs)))),
    low: Float32Array.from(by((v) => Math.min(...v))),
    high: Float32Array.from(by((v) => Math.max(...v))),
    squares: Float64Array.from(by((v) => v.reduce((sum, one) => sum + one * one, 0))),
    magnitudes: Float64Array.from(by((v) => v.reduce((sum, one) => sum + Math.abs(one), 0))),
  };
}

/** A matrix as a quantizer stores it, with fields in place of its defaults. */
export async function packedBy(
  quantizer: Quantizer,
  matrix: SiteMatrix,
  fields: Readonly<Record<string, unknown>> = {},
  x = inputs(3 * matrix.columns, matrix.columns),
): Promise<PackedMatrix> {
  const layer = layerOf(matrix, x);
  const each = await quantizer.bind({ ...defaultsOf(quantizer), ...fields }).layer(layer);
  return each(layer.matrices()[0] ?? matrix, layer.of(matrix.module));
}

/** What the fields are where nobody gives them. */
export function defaultsOf({ config }: Quantizer): Readonly<Record<string, unknown>> {
  const defaults: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(config)) defaults[name] = field.default;
  return defaults;
}

/** Fields for matrices as small as those of the tests, of those that it has. */
export function smallFields({ config }: Quantizer): Readonly<Record<string, unknown>> {
  const small = { group: 16, rank: 2, steps: 10, thresholds: 5 };
  return Object.fromEntries(Object.entries(small).filter(([name]) => name in config));
}

export function valuesOf(quantizer: Quantizer, packed: PackedMatrix): Float32Array {
  return expanded(packed, quantizer.formats);
}

/** tr((W − Q) XᵀX (W − Q)ᵀ) */
export function outputError(
  matrix: SiteMatrix,
  values: Float32Array,
  x = inputs(3 * matrix.columns, matrix.columns),
): Promise<number> {
  const { rows, columns, data } = matrix;
  const made = { rows, columns, data: values };
  return proxyError(linalg(), { rows, columns, data }, made, secondMoments(x, columns));
}
