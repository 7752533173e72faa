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
 * no peak is lost. x ascends; NaN in y is a gap, and stays one where a stretch has nothing else.
 */
export function decimate({ x, y }: Points, from: number, to: number, stretches: number): Points {
  const first = Math.max(0, lowerBound(x, from) - 1);
  const end = Math.min(x.length, lowerBound(x, to, true) + 1);
  if (end - first <= 2 * stretches + 2)
    return { x: x.subarray(first, end), y: y.subarray(first, end) };
  const kept: number[] = [];
  const width = (to - from) / stretches;
  let index = first;
  while (index < end) {
    const stretch = Math.floor(((x[index] ?? 0) - from) / width);
    let least = index;
    let greatest = index;
    let next = index;
    while (next < end && Math.floor(((x[next] ?? 0) - from) / width) === stretch) {
      if (isBelow(y[next], y[least])) least = next;
      if (isBelow(y[greatest], y[next])) greatest = next;
      next += 1;
    }
    kept.push(Math.min(least, greatest));
    if (least !== greatest) kept.push(Math.max(least, greatest));
    index = next;
  }
  return {
    x: Float64Array.from(kept, (place) => x[place] ?? NaN),
    y: Float64Array.from(kept, (place) => y[place] ?? NaN),
  };
}

/** a < b, where NaN is neither but gives way to any number. */
function isBelow(a = NaN, b = NaN): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a));
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
