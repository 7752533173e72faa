/** @file Runs for tests of `compare`: facts with everything filled in but what a test is about. */
import type { RunFacts } from "../../../../src/engine/compare/run-facts.ts";

export interface Changes extends Partial<Omit<RunFacts, "budget" | "cost">> {
  readonly budget?: Partial<RunFacts["budget"]>;
}

/** A finished run of LoRA, r 8, seed 0; `config` stands over its sections. */
export function facts({ budget = {}, config = {}, ...changes }: Changes = {}): RunFacts {
  const seed = changes.seed ?? 0;
  const id = changes.id ?? `run-${seed}`;
  return {
    id,
    folder: `/runs/${id}`,
    state: "finished",
    seed,
    metrics: {},
    shares: {},
    scores: {},
    ...changes,
    config: {
      version: 1,
      method: { type: "lora", r: 8, alpha: 16 },
      train: { learning_rate: 0.001, seed },
      run: { device: "cpu" },
      ...config,
    },
    budget: { tokens: 1000, steps: 10, trainableParameters: 64, tuningRuns: undefined, ...budget },
    cost: { peakMemoryBytes: 1e6, seconds: 2 },
  };
}
