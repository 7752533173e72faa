/** @file Chooses the next token from logits: the most likely, or drawn under temperature, top-k and top-p as transformers does. */
import { at } from "../../shared/errors.ts";
import { sum } from "../../shared/sums.ts";

export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the most likely token. */
  readonly temperature: number;
  /** Only so many of the most likely tokens; all where not given. */
  readonly topK?: number | undefined;
  /** The fewest of the most likely tokens whose probabilities reach this sum; all where not given. */
  readonly topP?: number | undefined;
}

/** A number in [0, 1) for a place of a sequence: the same for the same place. */
export type Uniform = (sequence: number, position: number) => number;

export type ChooseToken = (logits: Float32Array, sequence: number, position: number) => number;

/** How tokens are chosen; among equal logits the lower id counts as the more likely. */
export function tokenChooser(options: SamplingOptions, uniform: Uniform): ChooseToken {
  if (options.temperature === 0) return mostLikely;
  return (logits, sequence, position) => {
    const { ids, weights } = candidates(logits, options);
    let left = uniform(sequence, position) * sum(weights);
    for (let index = 0; index < ids.length; index++) {
      left -= at(weights, index);
      if (left < 0) return at(ids, index);
    }
    return at(ids, ids.length - 1);
  };
}

/** The id of the largest logit, the first among equals. */
export function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (at(logits, id) > at(logits, best)) best = id;
  return best;
}

/**
 * What may be drawn, with weights e^((logit − largest) / temperature): first the `topK` largest, with all
 * that equal the last of them, then of these the fewest whose share reaches `topP`, the largest first.
 */
export function candidates(
  logits: Float32Array,
  { temperature, topK, topP }: SamplingOptions,
): { readonly ids: Uint32Array; readonly weights: Float64Array } {
  const largest = at(logits, mostLikely(logits));
  const weightsOf = (ids: Uint32Array): Float64Array =>
    Float64Array.from(ids, (id) => Math.exp((at(logits, id) - largest) / temperature));
  const bound = topK === undefined || topK >= logits.length ? -Infinity : largestAt(logits, topK);
  const ids = Uint32Array.from(logits.keys()).filter((id) => at(logits, id) >= bound);
  if (topP === undefined || topP >= 1) return { ids, weights: weightsOf(ids) };

  ids.sort((a, b) => at(logits, b) - at(logits, a) || a - b);
  const weights = weightsOf(ids);
  const enough = topP * sum(weights);
  let count = 0;
  let reached = 0;
  do reached += at(weights, count++);
  while (count < ids.length && reached < enough);
  return { ids: ids.subarray(0, count), weights: weights.subarray(0, count) };
}

/** The `rank`-th largest, counted from 1. */
function largestAt(values: Float32Array, rank: number): number {
  return at(values.toSorted(), values.length - rank);
}
