/** @file Axes of pictures that we draw ourselves: from numbers to places, and the round numbers that are written there. */

export interface Axis {
  /** The place in [0, 1] of a number; outside of it where the number is. */
  readonly share: (value: number) => number;
  /** Round numbers within the axis, some five of them. */
  readonly ticks: readonly number[];
}

/** An even axis over [low, high]; one number alone stands in the middle. */
export function linearAxis(low: number, high: number): Axis {
  const [from, to] =
    high > low ? [low, high] : [low - (Math.abs(low) || 1), low + (Math.abs(low) || 1)];
  const step = roundStep((to - from) / 5);
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return {
    share: (value) => (value - from) / (to - from),
    ticks: Array.from({ length: last - first + 1 }, (_, index) =>
      Number(((first + index) * step).toPrecision(12)),
    ),
  };
}

/** An axis over powers of ten, `low` above 0; less than one power gives an even axis of the logarithm with round numbers. */
export function logAxis(low: number, high: number): Axis {
  const [from, to] = high > low ? [low, high] : [low / 2, low * 2];
  const [a, b] = [Math.log10(from), Math.log10(to)];
  const powers = b - a;
  const first = Math.ceil(a - 1e-9);
  const last = Math.floor(b + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / 6));
  const ticks: number[] = [];
  for (let power = first; power <= last; power += every) ticks.push(10 ** power);
  return {
    share: (value) => (Math.log10(value) - a) / (b - a),
    ticks:
      ticks.length >= 2 || powers >= 2
        ? ticks
        : linearAxis(from, to).ticks.filter((tick) => tick > 0),
  };
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const share = step / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

/** Least and greatest of finite numbers, only those above 0 on a logarithmic axis; undefined where there is none. */
export function rangeOf(
  lists: readonly Iterable<number>[],
  isLog: boolean,
): { readonly low: number; readonly high: number } | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists)
    for (const value of list) {
      if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return low <= high ? { low, high } : undefined;
}
