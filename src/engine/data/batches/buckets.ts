/** @file The few lengths to which rows are padded. */
import { at, invariant } from "../../../shared/errors.ts";

/** More candidate lengths than this are thinned out before the best are chosen. */
const mostCandidates = 256;

export interface BucketOptions {
  readonly maxBuckets?: number;
  /** Lengths are multiples of this. */
  readonly multiple?: number;
  /** No length is above this, multiple or not: the model's positions end there. */
  readonly limit?: number;
}

/**
 * At most `maxBuckets` lengths, ascending, that together pad these lengths least: exact over the lengths
 * that occur (rounded up to the multiple), by dynamic programming.
 */
export function chooseBuckets(
  lengths: ArrayLike<number>,
  { maxBuckets = 4, multiple = 8, limit = Infinity }: BucketOptions = {},
): readonly number[] {
  invariant(maxBuckets > 0 && multiple > 0, "buckets need a count and a multiple");
  const counts = new Map<number, number>();
  for (let index = 0; index < lengths.length; index += 1) {
    const rounded = Math.min(
      limit,
      Math.ceil(Math.max(1, at(lengths, index)) / multiple) * multiple,
    );
    counts.set(rounded, (counts.get(rounded) ?? 0) + 1);
  }
  const sizes = thinned([...counts.keys()].toSorted((a, b) => a - b));
  if (sizes.length <= maxBuckets) return sizes;

  // below[i]: examples that fit into sizes[i - 1]; cost of one bucket for those above sizes[i] up to sizes[j].
  const below = new Float64Array(sizes.length + 1);
  let next = 0;
  for (const [size, count] of [...counts].toSorted(([a], [b]) => a - b)) {
    while (at(sizes, next) < size) next += 1;
    below[next + 1] = at(below, next + 1) + count;
  }
  for (let index = 1; index < below.length; index += 1)
    below[index] = at(below, index) + at(below, index - 1);

  let costs = Array.from({ length: sizes.length }, (_, j) => at(below, j + 1) * at(sizes, j));
  const choices: Int32Array[] = [];
  for (let bucket = 1; bucket < maxBuckets; bucket += 1) {
    const choice = new Int32Array(sizes.length).fill(-1);
    const before = costs;
    costs = before.map((alone, j) => {
      let best = alone;
      for (let i = 0; i < j; i += 1) {
        const cost = at(before, i) + (at(below, j + 1) - at(below, i + 1)) * at(sizes, j);
        if (cost >= best) continue;
        best = cost;
        choice[j] = i;
      }
      return best;
    });
    choices.push(choice);
  }
  const chosen = new Set<number>();
  let last = sizes.length - 1;
  chosen.add(at(sizes, last));
  for (const choice of choices.toReversed()) {
    if (at(choice, last) < 0) continue;
    last = at(choice, last);
    chosen.add(at(sizes, last));
  }
  return [...chosen].toSorted((a, b) => a - b);
}

/** The smallest bucket that holds `length`. */
export function bucketOf(length: number, buckets: readonly number[]): number {
  const bucket = buckets.find((size) => size >= length);
  invariant(bucket !== undefined, `no bucket holds ${length} tokens`);
  return bucket;
}

/** Every so-manieth of the sizes, the largest among them. */
function thinned(sizes: readonly number[]): readonly number[] {
  const step = Math.ceil(sizes.length / mostCandidates);
  return sizes.filter((_, index) => (sizes.length - 1 - index) % step === 0);
}
