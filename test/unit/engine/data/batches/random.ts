/** @file Seeded numbers for property tests. */
import { philox4x32 } from "../../../../../src/engine/data/batches/philox.ts";
import {
  exampleStore,
  type Examples,
} from "../../../../../src/engine/data/examples/example-store.ts";

/** Whole numbers from 1 to `most`. */
export function randomLengths(count: number, most: number, seed: number): number[] {
  return Array.from(
    { length: count },
    (_, index) => 1 + (philox4x32([index, 0, 0, 0], [seed, 99])[0] % most),
  );
}

/** Examples whose ids are all different, so that each token tells where it came from. */
export function numberedExamples(lengths: readonly number[]): Examples {
  const store = exampleStore({ typeIds: false, labels: false });
  let next = 1000;
  lengths.forEach((length, row) => {
    const ids = Array.from({ length }, () => next++);
    store.add({ ids, trained: ids.map((id) => (id % 3 === 0 ? 0 : 1)), row });
  });
  return store.finish();
}
