/**
 * @file Uniform grids: w ≈ scale · (code − zero) with a scale and a zero for each tensor, row or group.
 *
 * Two rules of rounding, bit for bit in float32 as their official code has them: GPTQ's (Frantar,
 * Ashkboos, Hoefler, Alistarh, 2022, https://arxiv.org/abs/2210.17323) and AWQ's (Lin, Tang, Tang,
 * Yang, Dang, Han, 2023, https://arxiv.org/abs/2306.00978).
 */
import {
  checkFinite,
  checkShape,
  type Data,
  type Matrix,
} from "../../../../kernels/linalg/matrix.ts";

/** Elements that share a scale: all, those of a row, or as many neighbours in a row (the last group may be short). */
export type Granularity = "tensor" | "row" | number;

/** Which values the grid spans. */
export type GridRange =
  /** All of them. */
  | { readonly kind: "min-max" }
  /** The range times 1 − i / divisions, i = 0 … steps − 1, with the least Σ|error|^norm: GPTQ's search, by default 80 steps of 1/100 and norm 2.4. */
  | {
      readonly kind: "shrunk";
      readonly steps?: number;
      readonly divisions?: number;
      readonly norm?: number;
    }
  /** Between the quantiles 1 − share and share (of the magnitudes where symmetric), interpolated linearly; 1 is all. */
  | { readonly kind: "percentile"; readonly share: number }
  /** The values cut to ± the limit of their group. AWQ cuts the weights as well: {@link cutWeights} before encoding. */
  | { readonly kind: "clipped"; readonly limits: Float32Array };

export interface GridOptions {
  /** 2 to 8. */
  readonly bits: number;
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  /** Min-max where not given. */
  readonly range?: GridRange;
  /**
   * `gptq` (where not given): the range always holds 0, a group of zeros spans [−1, 1], symmetric is
   * 2 max|w| over 2^bits − 1 steps. `awq`: the range need not hold 0 (the zero is clamped), spans are
   * at least 1e-5, symmetric is max|w| over 2^(bits−1) − 1 steps.
   */
  readonly rule?: GridRule;
  /** Rounds each scale once it is found, to float16 say; codes then come from the rounded one. */
  readonly roundScale?: (scale: number) => number;
}

export type GridRule = "gptq" | "awq";

/** What is stored beside the codes. Group g of row i is at i · groupsPerRow + g; `tensor` has one in all. */
export interface Grid {
  readonly bits: number;
  readonly rows: number;
  readonly columns: number;
  readonly granularity: Granularity;
  /** [groups] */
  readonly scales: Float32Array<ArrayBuffer>;
  /** [groups], each below 2^bits; 2^(bits−1) throughout where symmetric. */
  readonly zeros: Uint8Array<ArrayBuffer>;
}

/** A scale (a float32 above 0) and its zero. */
export interface Step {
  readonly scale: number;
  readonly zero: number;
}

/** The runs of a row-major matrix that share a scale: `rows` times as many as fit `columns`, `group` long. */
export interface Groups {
  readonly rows: number;
  readonly columns: number;
  readonly group: number;
  readonly perRow: number;
}

/** RangeError for groups that are no whole number of elements. */
export function groupsOf(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  granularity: Granularity,
): Groups {
  if (granularity === "tensor")
    return { rows: 1, columns: rows * columns, group: rows * columns, perRow: 1 };
  const group = granularity === "row" ? columns : granularity;
  if (!Number.isSafeInteger(group) || group < 1)
    throw new RangeError(`A group has a whole number of weights, not ${group}.`);
  return { rows, columns, group, perRow: Math.ceil(columns / group) };
}

/** The grid of each group of a matrix; RangeError for NaN, infinities, bits outside 2 … 8. */
export function fitGrid(matrix: Matrix<Data>, options: GridOptions): Grid {
  const { bits, granularity } = options;
  checkMatrix("A uniform grid", matrix);
  const { rows, columns, group, perRow } = groupsOf(matrix, granularity);
  const scales = new Float32Array(rows * perRow);
  const zeros = new Uint8Array(rows * perRow);
  const fit = stepFitter(options);
  for (let row = 0; row < rows; row++)
    for (let g = 0; g < perRow; g++) {
      const from = row * columns + g * group;
      const to = Math.min(from + group, (row + 1) * columns);
      const { scale, zero } = fit(matrix.data.subarray(from, to), row * perRow + g);
      scales[row * perRow + g] = scale;
      zeros[row * perRow + g] = zero;
    }
  return { bits, rows: matrix.rows, columns: matrix.columns, granularity, scales, zeros };
}

/** Fits one group of finite values at a time; `group` counts them for limits that each has of its own. */
export function stepFitter(
  options: Omit<GridOptions, "granularity">,
): (values: Data, group: number) => Step {
  const fit = exactFitter(options);
  const { roundScale } = options;
  if (!roundScale) return fit;
  return (values, group) => {
    const { scale, zero } = fit(values, group);
    return { scale: roundScale(scale), zero };
  };
}

function exactFitter(
  options: Omit<GridOptions, "granularity">,
): (values: Data, group: number) => Step {
  const { bits, symmetric, range = { kind: "min-max" }, rule = "gptq" } = options;
  if (!Number.isInteger(bits) || bits < 2 || bits > 8)
    throw new RangeError(`A uniform grid has 2 to 8 bits, not ${bits}.`);
  const stepOf = rule === "gptq" ? gptqStep : awqStep;
  switch (range.kind) {
    case "min-max":
      return (values) => stepOf(extent(values), bits, symmetric);
    case "percentile": {
      const { share } = range;
      if (!(share > 0.5 && share <= 1))
        throw new RangeError(`A percentile keeps a share in (0.5, 1], not ${share}.`);
      return (values) => stepOf(quantiles(values, share, symmetric), bits, symmetric);
    }
    case "clipped":
      return (values, group) => {
        const limit = range.limits[group] ?? NaN;
        if (!(limit >= 0)) throw new RangeError(`Group ${group} has no limit to be clipped at.`);
        const { low, high } = extent(values);
        const cut = (end: number) => Math.min(Math.max(end, -limit), limit);
        return stepOf({ low: cut(low), high: cut(high) }, bits, symmetric);
      };
    case "shrunk": {
      const { steps = 80, divisions = 100, norm = 2.4 } = range;
      if (!(Number.isInteger(steps) && steps >= 1 && steps <= divisions && norm > 0))
        throw new RangeError(`A search of ${steps} steps of 1/${divisions} with norm ${norm}.`);
      return (values) => {
        const { low, high } = extent(values);
        let best = stepOf({ low, high }, bits, symmetric);
        let least = Infinity;
        for (let i = 0; i < steps; i++) {
          const factor = 1 - i / divisions;
          const cut = { low: Math.fround(factor * low), high: Math.fround(factor * high) };
          const step = stepOf(cut, bits, symmetric);
          const error = errorBelow(least, values, step, bits, norm);
          if (error < least) [best, least] = [step, error];
        }
        return best;
      };
    }
  }
}

/** A copy of the weights, cut to ± the limit of their group. */
export function cutWeights(
  { rows, columns, data }: Matrix<Data>,
  granularity: Granularity,
  limits: Float32Array,
): Matrix<Float32Array<ArrayBuffer>> {
  const shape = groupsOf({ rows, columns }, granularity);
  const cut = new Float32Array(data.length);
  for (let run = 0; run < shape.rows * shape.perRow; run++) {
    const row = Math.floor(run / shape.perRow);
    const from = row * shape.columns + (run % shape.perRow) * shape.group;
    const to = Math.min(from + shape.group, (row + 1) * shape.columns);
    const limit = limits[run] ?? NaN;
    for (let i = from; i < to; i++) cut[i] = Math.min(Math.max(data[i] ?? NaN, -limit), limit);
  }
  return { rows, columns, data: cut };
}

/** [rows · columns] codes below 2^bits; values outside the range take its ends. RangeError for NaN and infinities. */
export function encodeGrid(matrix: Matrix<Data>, grid: Grid): Uint8Array<ArrayBuffer> {
  checkMatrix("Encoding on a uniform grid", matrix);
  if (matrix.rows !== grid.rows || matrix.columns !== grid.columns)
    throw new RangeError(
      `A grid of ${grid.rows} × ${grid.columns} for ${matrix.rows} × ${matrix.columns} weights.`,
    );
  const codes = new Uint8Array(matrix.data.length);
  const top = 2 ** grid.bits - 1;
  eachGroup(grid, (from, to, scale, zero) => {
    for (let i = from; i < to; i++) codes[i] = codeOf(matrix.data[i] ?? NaN, scale, zero, top);
  });
  return codes;
}

/** scale · (code − zero) in float32, row-major. */
export function decodeGrid(codes: Uint8Array, grid: Grid): Float32Array<ArrayBuffer> {
  if (codes.length !== grid.rows * grid.columns)
    throw new RangeError(`${codes.length} codes for ${grid.rows} × ${grid.columns} weights.`);
  const values = new Float32Array(codes.length);
  eachGroup(grid, (from, to, scale, zero) => {
    for (let i = from; i < to; i++) values[i] = scale * ((codes[i] ?? NaN) - zero);
  });
  return values;
}

/** The code of a value: the quotient in float32, rounded half to even, moved by `zero` and clamped to 0 … `top`. */
export function codeOf(value: number, scale: number, zero: number, top: number): number {
  const code = roundEven(Math.fround(value / scale)) + zero;
  return code < 0 ? 0 : code > top ? top : code;
}

/** To the nearest whole number, halves to the even one; exact below 2^51, near enough to be clamped beyond. */
export function roundEven(x: number): number {
  return x + 6755399441055744 - 6755399441055744;
}

interface Extent {
  readonly low: number;
  readonly high: number;
}

function gptqStep({ low, high }: Extent, bits: number, symmetric: boolean): Step {
  const top = 2 ** bits - 1;
  let [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  if (symmetric) {
    to = Math.max(-from, to);
    from = -to;
  }
  let scale = Math.fround(Math.fround(to - from) / top);
  if (to - from > 0 && !Number.isFinite(scale)) scale = Math.fround((to - from) / top);
  // A span that float32 cannot divide is one of zeros too.
  if (scale === 0) [from, scale] = [-1, Math.fround(2 / top)];
  return { scale, zero: symmetric ? 2 ** (bits - 1) : roundEven(Math.fround(-from / scale)) };
}

function awqStep({ low, high }: Extent, bits: number, symmetric: boolean): Step {
  if (symmetric) {
    const most = Math.max(-low, high, 1e-5);
    return { scale: Math.fround(most / (2 ** (bits - 1) - 1)), zero: 2 ** (bits - 1) };
  }
  const top = 2 ** bits - 1;
  const scale = Math.fround(Math.max(high - low, 1e-5) / top);
  const zero = -roundEven(Math.fround(low / scale));
  return { scale, zero: Math.min(Math.max(zero, 0), top) };
}

function extent(values: Data): Extent {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length === 0 ? { low: 0, high: 0 } : { low, high };
}

function quantiles(values: Data, share: number, symmetric: boolean): Extent {
  const sorted = (symmetric ? values.map(Math.abs) : values.slice()).sort();
  const at = (p: number) => {
    const place = p * (sorted.length - 1);
    const below = Math.floor(place);
    const lower = sorted[below] ?? 0;
    return lower + (place - below) * ((sorted[below + 1] ?? lower) - lower);
  };
  const high = at(share);
  return { low: symmetric ? -high : at(1 - share), high };
}

/** Σ|error|^norm, or something not below `limit` once it gets there. */
function errorBelow(limit: number, values: Data, step: Step, bits: number, norm: number): number {
  const top = 2 ** bits - 1;
  let sum = 0;
  for (const value of values) {
    const code = codeOf(value, step.scale, step.zero, top);
    const error = Math.abs(Math.fround(step.scale * (code - step.zero)) - value);
    sum += norm === 2 ? error * error : error ** norm;
    if (sum >= limit) return sum;
  }
  return sum;
}

function eachGroup(
  grid: Grid,
  work: (from: number, to: number, scale: number, zero: number) => void,
): void {
  const { rows, columns, group, perRow } = groupsOf(grid, grid.granularity);
  for (let row = 0; row < rows; row++)
    for (let g = 0; g < perRow; g++) {
      const from = row * columns + g * group;
      const index = row * perRow + g;
      const to = Math.min(from + group, (row + 1) * columns);
      work(from, to, grid.scales[index] ?? NaN, grid.zeros[index] ?? NaN);
    }
}

function checkMatrix(what: string, matrix: Matrix<Data>): void {
  checkShape(what, matrix);
  checkFinite(what, matrix);
}
