/** @file Long curves in as many points as can be seen: the least and the greatest of each stretch of x. */

export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** A curve of a chart. */
export interface LineSeries {
  readonly label: string;
  /** x ascends; NaN in y is a gap. */
  readonly points: Points;
  readonly style?: "line" | "points";
  /** Which colour of the sequence; by its place where not given. */
  readonly color?: number;
}

/**
 * The points with x in [from, to], and one beyond at either side, so that lines leave the picture. Where there are more
 * than two for each of `stretches` equal stretches, only the least and the greatest of a stretch stay, in their order:
 * no peak is lost. x ascends; NaN in y is a gap, and so is what is not above `floor`; a stretch stays one where it has
 * nothing else.
 */
export function decimate(
  { x, y }: Points,
  from: number,
  to: number,
  stretches: number,
  floor = -Infinity,
): Points {
  const first = Math.max(0, lowerBound(x, from) - 1);
  const end = Math.min(x.length, lowerBound(x, to, true) + 1);
  const shown = (value = NaN): number => (value > floor ? value : NaN);
  if (end - first <= 2 * stretches + 2)
    return { x: x.subarray(first, end), y: y.subarray(first, end).map(shown) };
  const kept: number[] = [];
  const width = (to - from) / stretches;
  let index = first;
  while (index < end) {
    const stretch = Math.floor(((x[index] ?? 0) - from) / width);
    const next = Math.max(index + 1, firstFrom(x, from + (stretch + 1) * width, index, end));
    let [least, greatest] = [index, index];
    let [low, high] = [Infinity, -Infinity];
    // A million points are looked at here for each frame: nothing is made, and NaN compares as false.
    for (let place = index; place < next; place += 1) {
      const value = y[place] ?? NaN;
      if (!(value > floor)) continue;
      if (value < low) {
        low = value;
        least = place;
      }
      if (value > high) {
        high = value;
        greatest = place;
      }
    }
    kept.push(Math.min(least, greatest));
    if (least !== greatest) kept.push(Math.max(least, greatest));
    index = next;
  }
  return {
    x: Float64Array.from(kept, (place) => x[place] ?? NaN),
    y: Float64Array.from(kept, (place) => shown(y[place])),
  };
}

/** The first index in [start, end) whose value is at least `value`, else `end`; near `start`, as a rule. */
function firstFrom(values: Float64Array, value: number, start: number, end: number): number {
  let step = 1;
  let low = start;
  while (low + step < end && (values[low + step] ?? Infinity) < value) {
    low += step;
    step *= 2;
  }
  let high = Math.min(end, low + step);
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Curves over the union of their places, ascending; where one has no point, or a gap, there is null. */
export function aligned(curves: readonly Points[]): [number[], ...(number | null)[][]] {
  const all: number[] = [];
  const columns = curves.map((): (number | null)[] => []);
  const heads = new Int32Array(curves.length);
  for (;;) {
    let place = Infinity;
    for (const [index, { x }] of curves.entries())
      place = Math.min(place, x[heads[index] ?? 0] ?? Infinity);
    if (place === Infinity) return [all, ...columns];
    all.push(place);
    for (const [index, { x, y }] of curves.entries()) {
      const head = heads[index] ?? 0;
      const value = x[head] === place ? (y[head] ?? NaN) : NaN;
      if (x[head] === place) heads[index] = head + 1;
      columns[index]?.push(Number.isNaN(value) ? null : value);
    }
  }
}

/** The first index whose value is at least `value`, or above it with `beyond`. */
function lowerBound(values: Float64Array, value: number, beyond = false): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = values[middle] ?? Infinity;
    if (beyond ? at <= value : at < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An exponential mean over a curve: 0 leaves it as it is; corrected for its start, and gaps keep the mean so far. */
export function smoothed(y: Float64Array, weight: number): Float64Array {
  if (weight === 0) return y;
  const result = new Float64Array(y.length);
  let mean = 0;
  let sum = 0;
  for (const [place, value] of y.entries()) {
    if (!Number.isNaN(value)) {
      mean = weight * mean + (1 - weight) * value;
      sum = weight * sum + (1 - weight);
    }
    result[place] = Number.isNaN(value) || sum === 0 ? NaN : mean / sum;
  }
  return result;
}
