/** @file A small layer of two matrices behind a norm's factors, with every chain that quantizers fold along. */
import type { Chain, LayerContext, SiteMatrix } from "../../../src/engine/quantizers/context.ts";
import { contextOf, inputs, linalg, weights } from "./quantizer-case.ts";

const [width, middle, out, count] = [16, 24, 12, 96];

export interface SmallLayer {
  readonly context: LayerContext;
  /** What it gives now, with no weight replaced. */
  readonly output: () => Float64Array;
}

/** y = down · (up · (x ∘ gain + offset) + b) + c: linear, so that gradients are short. */
export function smallLayer(seed = 1): SmallLayer {
  const x = inputs(count, width, seed + 50);
  const gain = Float32Array.from({ length: width }, (_, j) => 0.5 + (j % 5) / 4);
  const offset = Float32Array.from({ length: width }, (_, j) => (j % 3) / 10);
  const up = named("layers.0.up_proj", weights({ rows: middle, columns: width }, seed));
  const down = named("layers.0.down_proj", weights({ rows: out, columns: middle }, seed + 1));
  const held = new Map([up, down].map((matrix) => [matrix.module, matrix.data.slice()]));
  const bias = new Map([
    [up.module, new Float32Array(middle).fill(0.01)],
    [down.module, new Float32Array(out).fill(-0.02)],
  ]);
  const of = (module: string) => held.get(module) ?? new Float32Array();
  const biasOf = (module: string) => bias.get(module) ?? new Float32Array();
  const read = (): Float32Array =>
    x.map((v, i) => v * (gain[i % width] ?? NaN) + (offset[i % width] ?? NaN));
  const forward = (replaced: ReadonlyMap<string, Float32Array>) => {
    const h = Float64Array.from(read());
    const a = linear(h, replaced.get(up.module) ?? of(up.module), width, biasOf(up.module));
    const y = linear(a, replaced.get(down.module) ?? of(down.module), middle, biasOf(down.module));
    return { h, a, y };
  };
  const target = forward(new Map()).y;
  const chains: readonly Chain[] = [
    {
      name: "norm",
      producer: { kind: "norm", name: "norm" },
      consumers: [up.module],
      width,
      shifts: true,
    },
    {
      name: "up_proj",
      producer: { kind: "linear", module: up.module, first: 0 },
      consumers: [down.module],
      width: middle,
      shifts: true,
    },
  ];
  const matrices = () =>
    [up, down].map((matrix): SiteMatrix => ({ ...matrix, data: of(matrix.module) }));
  const errorOf = (replaced: ReadonlyMap<string, Float32Array>) => {
    const { h, a, y } = forward(replaced);
    const e = y.map((value, i) => value - (target[i] ?? NaN));
    return { h, a, e, error: e.reduce((sum, v) => sum + v * v, 0) / e.length };
  };
  const context: LayerContext = {
    linalg: linalg(),
    chains,
    matrices,
    of: (module) => {
      const matrix = matrices().find((one) => one.module === module) ?? up;
      const { h, a } = forward(new Map());
      return contextOf(matrix, Float32Array.from(module === up.module ? h : a));
    },
    scale({ producer, consumers }, by) {
      if (producer.kind === "norm") {
        for (const values of [gain, offset]) each(values, (v, j) => v / (by[j] ?? NaN));
      } else {
        each(of(producer.module), (v, i) => v / (by[Math.floor(i / width)] ?? NaN));
        each(biasOf(producer.module), (v, i) => v / (by[i] ?? NaN));
      }
      for (const module of consumers) each(of(module), (v, i) => v * (by[i % by.length] ?? NaN));
    },
    shift({ producer, consumers }, by) {
      for (const module of consumers) {
        const w = of(module);
        each(biasOf(module), (v, row) =>
          by.reduce((sum, z, j) => sum + z * (w[row * by.length + j] ?? NaN), v),
        );
      }
      each(
        producer.kind === "norm" ? offset : biasOf(producer.module),
        (v, j) => v - (by[j] ?? NaN),
      );
    },
    looked: () => undefined,
    error: (replaced) => Promise.resolve(errorOf(replaced).error),
    gradients(replaced) {
      const { h, a, e, error } = errorOf(replaced);
      const lead = e.map((v) => (2 * v) / e.length);
      const byDown = outer(lead, out, a, middle);
      const back = linear(
        lead,
        transposed(replaced.get(down.module) ?? of(down.module), out, middle),
        out,
      );
      const gradients = new Map([
        [down.module, byDown],
        [up.module, outer(back, middle, h, width)],
      ]);
      return Promise.resolve({ error, gradients });
    },
  };
  return { context, output: () => forward(new Map()).y };
}

function named(module: string, matrix: SiteMatrix): SiteMatrix {
  return { ...matrix, module, kind: module.split(".").at(-1) ?? "" };
}

function each(values: Float32Array, to: (value: number, index: number) => number): void {
  for (const [i, value] of values.entries()) values[i] = to(value, i);
}

/** x [n, width] Wᵀ + b. */
function linear(x: Float64Array, w: Float32Array, columns: number, b?: Float32Array): Float64Array {
  const [n, rows] = [x.length / columns, w.length / columns];
  const y = new Float64Array(n * rows);
  for (let t = 0; t < n; t++)
    for (let i = 0; i < rows; i++) {
      let sum = b?.[i] ?? 0;
      for (let j = 0; j < columns; j++)
        sum += (x[t * columns + j] ?? NaN) * (w[i * columns + j] ?? NaN);
      y[t * rows + i] = sum;
    }
  return y;
}

/** aᵀ b [rows, columns] */
function outer(a: Float64Array, rows: number, b: Float64Array, columns: number): Float32Array {
  const sum = new Float64Array(rows * columns);
  for (let t = 0; t < a.length / rows; t++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        sum[i * columns + j] =
          (sum[i * columns + j] ?? 0) + (a[t * rows + i] ?? NaN) * (b[t * columns + j] ?? NaN);
  return Float32Array.from(sum);
}

function transposed(w: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(w, (_, k) => w[(k % rows) * columns + Math.floor(k / rows)] ?? NaN);
}
