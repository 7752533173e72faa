/** @file What is gathered of a linear site's inputs over a calibration set: second moments, sums, largest entries and norms. */
import { invariant } from "../../shared/errors.ts";
import type { Graph } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { matmul, mul, reduceSum } from "../core/ops.ts";
import type { NetworkContext } from "./context.ts";
import { floats } from "./context.ts";
import type { LayerStream, SiteInput } from "./calibration.ts";
import { layerOf } from "./calibration.ts";
import type { InputStatistics } from "../methods/start.ts";
import { made } from "./passes.ts";
import { withUploads } from "./uploads.ts";

/** Sums over a site's inputs x [rows, width] that are carried from batch to batch. */
export interface InputReducer<T> {
  add(input: SiteInput): Promise<void>;
  /** What was summed so far; its arrays are the reducer's own. */
  result(): T;
}

/**
 * Σ xᵀ x and Σ x by products on the device, summed in float64. With `peak`, each batch is divided by its
 * largest entry first, as CorDA's code does to keep samples alike.
 */
export function secondMoment(
  { cache }: Pick<NetworkContext, "cache">,
  width: number,
  options: {
    readonly peak: boolean;
    /** What each row is multiplied by [rows]; those that do not count are left out all the same. */
    readonly factors?: (input: SiteInput) => Float32Array;
  },
): InputReducer<InputStatistics> {
  const moment = new Float64Array(width * width);
  const sum = new Float64Array(width);
  let rows = 0;
  let batches = 0;
  return {
    async add(input) {
      const { backend, tensor, counted } = input;
      const own = counted.reduce((total, one) => total + one, 0);
      if (own === 0) return;
      const factor = options.peak ? 1 / Math.abs(largestOf(await input.floats(), counted)) : 1;
      invariant(Number.isFinite(factor), "a batch's inputs have no largest entry");
      const program = await cache.compile(momentProgram(counted.length, width));
      const outputs = await withUploads(backend, (uploader) =>
        program.run(
          new Map([
            ["x", tensor],
            ["counted", uploader.upload("float32", [counted.length, 1], factorsOf(input, options))],
          ]),
        ),
      );
      addScaled(moment, await floats(backend, made(outputs, "moment")), factor * factor);
      addScaled(sum, await floats(backend, made(outputs, "sum")), factor);
      for (const output of outputs.values()) backend.release(output);
      rows += own;
      batches++;
    },
    result: () => ({ rows, batches, secondMoment: moment, sum }),
  };
}

function factorsOf(
  input: SiteInput,
  { factors }: { readonly factors?: (input: SiteInput) => Float32Array },
): Float32Array {
  const own = factors?.(input);
  return Float32Array.from(input.counted, (counts, row) => counts * (own?.[row] ?? 1));
}

/** For x [rows, width], counted [rows, 1]: `moment` [width, width] and `sum` [width] of the rows that count. */
function momentProgram(rows: number, width: number): Graph {
  const g = newGraph();
  const x = g.input("x", "float32", [rows, width]);
  const own = mul(g, x, g.input("counted", "float32", [rows, 1]));
  g.output("moment", matmul(g, own, own, { transA: true }));
  g.output("sum", reduceSum(g, own, [0]));
  return g;
}

/** What is known of each input column. */
export interface ColumnStatistics {
  readonly rows: number;
  /** max |x_j|, min x_j, max x_j [width]. */
  readonly absmax: Float32Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Σ x_j² [width]. */
  readonly squares: Float64Array;
  /** Σ |x_j| [width]. */
  readonly magnitudes: Float64Array;
}

export function columnStatistics(width: number): InputReducer<ColumnStatistics> {
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

/**
 * Gathers for modules in the order of layers: those of one layer at a time are held, and given up when one
 * of a later layer is asked for. Asking for an earlier layer is a mistake.
 */
export function gatherInputs<T>(
  context: NetworkContext,
  stream: LayerStream,
  modules: ReadonlySet<string>,
  reducer: (width: number) => InputReducer<T>,
): (module: string) => Promise<T> {
  let held = new Map<string, InputReducer<T>>();
  return async (module) => {
    const layer = layerOf(context, module);
    while (stream.next <= layer) {
      held = new Map();
      await stream.advance(stream.next === layer ? modules : new Set(), async (input) => {
        const [first = ""] = input.modules;
        const own = held.get(first) ?? reducer(input.width);
        for (const reader of input.modules) held.set(reader, own);
        await own.add(input);
      });
    }
    const own = held.get(module);
    invariant(own, `nothing was gathered of ${module}`);
    return own.result();
  };
}

/** The largest entry of the rows that count, with its sign. */
function largestOf(x: Float32Array, counted: Uint8Array): number {
  const width = x.length / counted.length;
  let largest = -Infinity;
  for (const [row, counts] of counted.entries())
    if (counts === 1)
      for (const value of x.subarray(row * width, (row + 1) * width))
        if (value > largest) largest = value;
  return largest;
}

function addScaled(into: Float64Array, values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) into[i] = (into[i] ?? NaN) + factor * (values[i] ?? NaN);
}
