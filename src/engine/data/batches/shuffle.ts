/** @file Random orders that depend on a seed and a purpose, and on nothing else. */
import { at } from "../../../shared/errors.ts";
import { philox4x32 } from "./philox.ts";

/** What an order is for, so that one seed gives independent orders to each. */
const purposes = { examples: 1, batches: 2, split: 3 } as const;

/**
 * A permutation of `0 … count - 1` (Fisher and Yates), the same for the same arguments on every machine.
 * Each position has its own random number, so none depends on how many were drawn before.
 */
export function shuffled(
  count: number,
  key: {
    readonly seed: number;
    readonly epoch: number;
    readonly purpose: keyof typeof purposes;
  },
): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(uniform(last, key) * (last + 1));
    const moved = at(order, last);
    order[last] = at(order, other);
    order[other] = moved;
  }
  return order;
}

/** A number from 0 to below 1, of 53 random bits. */
function uniform(
  position: number,
  { seed, epoch, purpose }: Parameters<typeof shuffled>[1],
): number {
  const [high, low] = philox4x32(
    [position, purposes[purpose], epoch, 0],
    [seed >>> 0, Math.floor(seed / 2 ** 32)],
  );
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}
