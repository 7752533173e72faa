/** @file Measures a network on a split: what it predicts, example by example, and the metrics of that. */
import { at } from "../../shared/errors.ts";
import type { Choice } from "../../shared/schema.ts";
import { promptGroups } from "../data/examples/prompts.ts";
import type { LoadedTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { MetricTools } from "../metrics/define.ts";
import type { CompletionResult, ExampleResult } from "../metrics/example-result.ts";
import type { Measurement } from "../metrics/table.ts";
import { measure, newTokensFor } from "../metrics/table.ts";
import type { ModelBatch } from "../network/batch.ts";
import type { NetworkContext } from "../network/context.ts";
import { generate } from "../network/generation.ts";
import { logitsOf, scoresOf } from "../network/inference.ts";
import type { EvaluationData } from "./run-data.ts";

export interface EvaluateParts {
  readonly context: NetworkContext;
  readonly tokenizer: LoadedTokenizer;
  readonly tools: MetricTools;
  readonly onProgress: (done: number, total: number) => void;
}

/** The loss, which every measurement has. */
const always: Choice = { type: "loss", config: {} };

/** The loss and the metrics asked for, over a split, with each example's results. */
export async function evaluate(
  parts: EvaluateParts,
  data: EvaluationData,
  choices: readonly Choice[],
): Promise<Measurement> {
  const all = choices.some(({ type }) => type === always.type) ? choices : [always, ...choices];
  const results = await predicted(parts, data);
  const newTokens = newTokensFor(choices);
  if (newTokens === undefined) return measure(results, all, parts.tools);
  const completions = await completed(parts, data, newTokens);
  return measure(
    results.map((result, index) => ({ ...result, completion: at(completions, index) })),
    all,
    parts.tools,
  );
}

/** What the network says of each example's own targets, in the split's order. */
async function predicted(
  { context, onProgress }: EvaluateParts,
  { subset, batches, toBatch }: EvaluationData,
): Promise<readonly ExampleResult[]> {
  const numbers = new Map([...subset].map((example, index) => [example, index]));
  const results = new Map<number, ExampleResult>();
  for (const [number, micro] of batches.entries()) {
    const batch = toBatch(micro);
    const found =
      context.model.task === "causal-lm"
        ? await tokenResults(context, batch)
        : await labelResults(context, batch);
    micro.rows.forEach(([example], row) => {
      const index = numbers.get(example ?? -1);
      if (index !== undefined) results.set(index, { index, ...at(found, row) });
    });
    onProgress(number + 1, batches.length);
  }
  return [...results.values()].toSorted((a, b) => a.index - b.index);
}

type Found = Omit<ExampleResult, "index">;

/** Losses and hits of each sequence's trained tokens. */
async function tokenResults(context: NetworkContext, batch: ModelBatch): Promise<readonly Found[]> {
  const { losses, hits } = await scoresOf(context, batch);
  const found = Array.from({ length: batch.batch }, () => ({ count: 0, loss: 0, hits: 0 }));
  batch.rows.forEach((place, row) => {
    const targets = at(found, Math.floor(place / batch.length));
    targets.count += 1;
    targets.loss += at(losses, row);
    targets.hits += at(hits, row);
  });
  return found.map((targets) => ({ targets }));
}

/** The predicted label of each sequence: the class of the highest logit, or the number. */
async function labelResults(context: NetworkContext, batch: ModelBatch): Promise<readonly Found[]> {
  const logits = await logitsOf(context, batch);
  const outputs = logits.length / batch.batch;
  return Array.from({ length: batch.batch }, (_, row): Found => {
    const own = logits.subarray(row * outputs, (row + 1) * outputs);
    const { targets } = batch;
    if (targets.kind === "values") {
      const [truth, prediction] = [at(targets.values, row), at(own, 0)];
      return {
        targets: { count: 1, loss: (prediction - truth) ** 2, hits: 0 },
        label: { truth, prediction },
      };
    }
    const [truth, prediction] = [at(targets.labels, row), argmax(own)];
    return {
      targets: { count: 1, loss: crossEntropy(own, truth), hits: Number(truth === prediction) },
      label: { truth, prediction },
    };
  });
}

/** −log softmax(logits)[label]. */
function crossEntropy(logits: Float32Array, label: number): number {
  const largest = at(logits, argmax(logits));
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return largest + Math.log(sum) - at(logits, label);
}

/** Each example's completion, generated greedily from its prompt, beside the reference. */
async function completed(
  { context, tokenizer, onProgress }: EvaluateParts,
  { examples, subset }: EvaluationData,
  maxNewTokens: number,
): Promise<readonly CompletionResult[]> {
  const eos = tokenizer.special.eos?.id;
  const stop = new Set(eos === undefined ? [] : [eos]);
  const results: CompletionResult[] = [];
  for (const { prompts, completions } of promptGroups(examples, subset)) {
    const made = await generate(context, prompts, { maxNewTokens, stop, choose: argmax });
    const text = (ids: ArrayLike<number>): string =>
      tokenizer.decode(ids, { skipSpecialTokens: true });
    completions.forEach((completion, index) => {
      results.push({ generated: text(at(made, index)), expected: text(completion) });
    });
    onProgress(results.length, subset.length);
  }
  return results;
}

/** The index of the largest; the first among equals. */
function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (at(values, i) > at(values, best)) best = i;
  return best;
}
