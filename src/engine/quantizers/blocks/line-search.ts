/** @file The best of a list of settings of one number, by a loss that is asked for each. */

export interface Found {
  readonly value: number;
  readonly loss: number;
  readonly index: number;
}

/**
 * The candidate of least loss; of equal ones the first, so that a list which begins with the setting
 * that does nothing changes nothing without a gain. Losses that are NaN never win; RangeError where all
 * are, or none is given.
 */
export async function searchLine(
  candidates: readonly number[],
  loss: (value: number, index: number) => number | Promise<number>,
): Promise<Found> {
  let best: Found | undefined;
  for (const [index, value] of candidates.entries()) {
    const found = { value, index, loss: await loss(value, index) };
    if (Number.isNaN(found.loss)) continue;
    if (best === undefined || found.loss < best.loss) best = found;
  }
  if (best === undefined)
    throw new RangeError(`None of ${candidates.length} candidates has a loss.`);
  return best;
}

/** from, from + step, … of `count` numbers, each computed anew. */
export function evenly(from: number, step: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => from + i * step);
}
