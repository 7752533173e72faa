/** @file Measures a network on a split: losses, hits and generated completions, example by example. */
import { at } from "../../shared/errors.ts";
import type { Choice } from "../../shared/schema.ts";
import type { Metrics } from "../../shared/protocol.ts";
import type { Examples } from "../data/examples/example-store.ts";
import type { LoadedTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { NetworkContext } from "../network/context.ts";
import { generate } from "../network/generation.ts";
import { scoresOf } from "../network/inference.ts";
import type { EvaluationData } from "./run-data.ts";

export interface EvaluateParts {
  readonly context: NetworkContext;
  readonly tokenizer: LoadedTokenizer;
  readonly onProgress: (done: number, total: number) => void;
}

/** The metrics asked for, over a split. */
export async function evaluate(parts: EvaluateParts, data: EvaluationData, metrics: readonly Choice[]): Promise<Metrics> {
  const result: Record<string, number> = {};
  const { loss, accuracy } = await scored(parts, data);
  for (const { type, config } of metrics) {
    if (type === "loss") result[type] = loss;
    else if (type === "perplexity") result[type] = Math.exp(loss);
    else if (type === "accuracy") result[type] = accuracy;
    else if (type === "exact_match") result[type] = await exactMatch(parts, data, Number(config["max_new_tokens"]));
  }
  return result;
}

/** Mean loss over all targets, and the share of targets with the highest logit. */
async function scored({ context, onProgress }: EvaluateParts, { batches, toBatch }: EvaluationData): Promise<{ readonly loss: number; readonly accuracy: number }> {
  let loss = 0;
  let hits = 0;
  let count = 0;
  for (const [index, micro] of batches.entries()) {
    const scores = await scoresOf(context, toBatch(micro));
    for (const value of scores.losses) loss += value;
    for (const value of scores.hits) hits += value;
    count += scores.losses.length;
    onProgress(index + 1, batches.length);
  }
  return { loss: loss / count, accuracy: hits / count };
}

/** Prompts that are generated from at a time. */
const generationBatch = 16;

async function exactMatch({ context, tokenizer, onProgress }: EvaluateParts, { examples, subset }: EvaluationData, maxNewTokens: number): Promise<number> {
  const eos = tokenizer.special.eos?.id;
  const stop = new Set(eos === undefined ? [] : [eos]);
  let right = 0;
  for (let start = 0; start < subset.length; start += generationBatch) {
    const parts = [...subset.subarray(start, start + generationBatch)].map((example) => cutAtCompletion(examples, example));
    const made = await generate(context, parts.map(({ prompt }) => prompt), { maxNewTokens, stop, choose: argmax });
    parts.forEach(({ completion }, index) => {
      const text = (ids: ArrayLike<number>): string => tokenizer.decode(ids, { skipSpecialTokens: true }).trim();
      if (text(at(made, index)) === text(completion)) right++;
    });
    onProgress(Math.min(start + generationBatch, subset.length), subset.length);
  }
  return right / subset.length;
}

/** An example's ids before and from the first token that is trained on. */
function cutAtCompletion({ ids, starts, trained }: Examples, example: number): { readonly prompt: Int32Array; readonly completion: Int32Array } {
  const start = at(starts, example);
  const end = at(starts, example + 1);
  let cut = start + 1;
  while (cut < end && trained[cut] === 0) cut++;
  return { prompt: ids.subarray(start, cut), completion: ids.subarray(cut, end) };
}

/** The index of the largest; the first among equals. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (at(values, i) > at(values, best)) best = i;
  return best;
}
