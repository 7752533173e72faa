/** @file A hash table from pairs of token ids to merges, in flat arrays. */
import { at } from "../../../shared/errors.ts";

export interface MergeTable {
  /** Stores a merge; a pair given twice keeps the later one. */
  set(left: number, right: number, rank: number, merged: number): void;
  /** The slot of a pair, or -1. */
  find(left: number, right: number): number;
  rank(slot: number): number;
  merged(slot: number): number;
  /** Every pair that merges. */
  pairs(): Iterable<readonly [left: number, right: number]>;
}

/** A table for up to `size` pairs (open addressing, at most half full). */
export function mergeTable(size: number): MergeTable {
  const bits = Math.max(4, Math.ceil(Math.log2(2 * size + 1)));
  const mask = 2 ** bits - 1;
  const lefts = new Int32Array(mask + 1).fill(-1);
  const rights = new Int32Array(mask + 1);
  const ranks = new Int32Array(mask + 1);
  const results = new Int32Array(mask + 1);

  /** The pair's slot, or the empty one where it belongs. */
  const locate = (left: number, right: number): number => {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (at(lefts, slot) >= 0 && (at(lefts, slot) !== left || at(rights, slot) !== right))
      slot = (slot + 1) & mask;
    return slot;
  };

  return {
    set(left, right, rank, merged) {
      const slot = locate(left, right);
      lefts[slot] = left;
      rights[slot] = right;
      ranks[slot] = rank;
      results[slot] = merged;
    },
    find(left, right) {
      const slot = locate(left, right);
      return at(lefts, slot) < 0 ? -1 : slot;
    },
    rank: (slot) => at(ranks, slot),
    merged: (slot) => at(results, slot),
    *pairs() {
      for (let slot = 0; slot <= mask; slot += 1)
        if (at(lefts, slot) >= 0) yield [at(lefts, slot), at(rights, slot)];
    },
  };
}
