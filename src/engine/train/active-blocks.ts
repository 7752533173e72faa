/** @file Which blocks of a model train at a step, by the experiment's schedule over layers. */
import { activeLayers, rowNamed } from "../catalog.ts";
import type { Choice } from "../../shared/schema.ts";
import type { ParameterSpec } from "../network/parameters.ts";
import type { BlockSpec } from "../models/architecture.ts";

export interface ActiveBlocks {
  readonly at: (t: number) => ReadonlySet<string>;
  /** In how many of the steps up to t a block trained. */
  readonly updates: (t: number, block: string) => number;
  /** Steps in which the learning rate stays as it is. */
  readonly cycle: number;
}

/** Undefined where all blocks train always. Blocks that share a trained tensor train together. */
export function activeBlocks(
  choice: Choice | null,
  blocks: readonly Pick<BlockSpec, "id" | "kind">[],
  trained: readonly ParameterSpec[],
  shuffled: (draw: number, count: number) => readonly number[],
): ActiveBlocks | undefined {
  if (choice === null) return undefined;
  const schedule = rowNamed(activeLayers, choice.type).bind(choice.config);
  const used = new Set(trained.flatMap((tensor) => tensor.blocks ?? []));
  const training = blocks.filter(({ id }) => used.has(id));
  const shared = trained.flatMap(({ blocks: ids = [] }) => (ids.length > 1 ? [ids] : []));
  const ids = training.map(({ id }) => id);
  const layers = training.filter(({ kind }) => kind === "layer").map(({ id }) => id);
  const at = (t: number): ReadonlySet<string> => {
    const active = new Set(schedule.active({ t, blocks: ids, layers, shuffled }));
    for (const together of shared)
      if (together.some((id) => active.has(id))) for (const id of together) active.add(id);
    return active;
  };
  const counts = new Map<string, number>();
  let counted = 0;
  return {
    cycle: schedule.cycle(ids.length),
    at,
    updates(t, block) {
      if (t < counted) {
        counts.clear();
        counted = 0;
      }
      while (counted < t) for (const id of at(++counted)) counts.set(id, (counts.get(id) ?? 0) + 1);
      return counts.get(block) ?? 0;
    },
  };
}
