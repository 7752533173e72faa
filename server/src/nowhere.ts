/** @file The world of a document that is in no file: nothing of it is known, so nothing is said about it. */
import type { Facts } from "./facts.ts";

const unknown = { state: "pending" } as const;

/** What needs no file stays: expressions, memory, work for later. */
export function factsNowhere({ memoryBytes, match, later }: Facts): Facts {
  return {
    text: () => unknown,
    folder: () => unknown,
    model: () => unknown,
    hubModels: () => unknown,
    data: () => unknown,
    examples: () => unknown,
    adapterConfig: () => unknown,
    memoryBytes,
    match,
    later,
  };
}
