/** @file The steps of a run as columns of numbers, which cross a wire in pieces and grow at their end. */
import type { Step } from "./protocol.ts";

const curveColumns = [
  "step",
  "epoch",
  "loss",
  "lr",
  "gradNorm",
  "tokensPerSecond",
  "seconds",
  "memoryBytes",
] as const satisfies readonly (keyof Step)[];

export type CurveColumn = (typeof curveColumns)[number];

/**
 * Rows `from`, `from + 1`, … of every column; what was behind `from` before is gone (a resumed run repeats steps).
 * A figure that a step lacks is NaN.
 */
export interface CurveChunk {
  readonly from: number;
  readonly columns: { readonly [C in CurveColumn]: Float64Array };
}

/** The rows from `from` on as columns. */
export function chunkOf(steps: readonly Step[], from: number): CurveChunk {
  const rows = steps.slice(from);
  const column = (name: CurveColumn): Float64Array =>
    Float64Array.from(rows, (step) => step[name] ?? NaN);
  return {
    from,
    columns: {
      step: column("step"),
      epoch: column("epoch"),
      loss: column("loss"),
      lr: column("lr"),
      gradNorm: column("gradNorm"),
      tokensPerSecond: column("tokensPerSecond"),
      seconds: column("seconds"),
      memoryBytes: column("memoryBytes"),
    },
  };
}

/** Columns that chunks are added to; their memory doubles, so that a long run is not copied at each step. */
export interface GrowingCurves {
  readonly add: (chunk: CurveChunk) => void;
  readonly length: () => number;
  /** A view of what there is now; later chunks may write behind it. */
  readonly column: (name: CurveColumn) => Float64Array;
}

export function growingCurves(): GrowingCurves {
  const kept = new Map<CurveColumn, Float64Array>();
  let length = 0;
  return {
    add: ({ from, columns }) => {
      const start = Math.min(from, length);
      const end = start + columns.step.length;
      for (const name of curveColumns) {
        let values = kept.get(name) ?? new Float64Array(256);
        if (values.length < end) {
          const grown = new Float64Array(Math.max(end, 2 * values.length));
          grown.set(values.subarray(0, start));
          values = grown;
        }
        values.set(columns[name], start);
        kept.set(name, values);
      }
      length = end;
    },
    length: () => length,
    column: (name) => (kept.get(name) ?? new Float64Array(0)).subarray(0, length),
  };
}
