/** @file Keeps the results of computations that the world does for us when it has time. */
import type { Facts, Known } from "./facts.ts";

const mostKept = 100;

export type LaterOf<T> = (facts: Facts, key: string, work: () => T) => Known<T>;

/** Results of one type, kept by key for as long as the world they were computed in is. */
export function createLaterOf<T>(): LaterOf<T> {
  const worlds = new WeakMap<Facts, Map<string, Known<T>>>();
  return (facts, key, work) => {
    const kept = worlds.get(facts) ?? new Map<string, Known<T>>();
    worlds.set(facts, kept);
    const known = kept.get(key);
    if (known !== undefined) return known;
    facts.later(key, () => {
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, { state: "known", value: work() });
    });
    return kept.get(key) ?? { state: "pending" };
  };
}
