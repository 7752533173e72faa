/** @file Perplexity on sequences of text, with an interval over them. */
import { at } from "../../shared/errors.ts";
import type { Measured } from "../../shared/quantize-records.ts";
import type { ModelBatch } from "../network/batch.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import type { NetworkContext } from "../network/context.ts";
import { scoresOf } from "../network/inference.ts";
import { pairedBootstrap } from "../statistics/bootstrap.ts";

const draws = { confidence: 0.95, seed: 0, resamples: 1000 } as const;

/** exp of the mean over sequences of the mean loss of their tokens but the first. */
export async function perplexityOn(
  context: NetworkContext,
  windows: readonly CalibrationBatch[],
): Promise<Measured> {
  const means: number[] = [];
  for (const window of windows) {
    const predicted = withTargets(window);
    const { losses } = await scoresOf(context, predicted);
    const sums = new Map<number, readonly [sum: number, count: number]>();
    for (const [row, place] of predicted.rows.entries()) {
      const sequence = Math.floor(place / predicted.length);
      const [sum, count] = sums.get(sequence) ?? [0, 0];
      sums.set(sequence, [sum + at(losses, row), count + 1]);
    }
    for (const [sum, count] of sums.values()) means.push(sum / count);
  }
  const { mean, interval } = pairedBootstrap(means, new Float64Array(means.length), draws);
  return {
    value: Math.exp(mean),
    low: Math.exp(interval.low),
    high: Math.exp(interval.high),
  };
}

/** Every token but a sequence's last is to tell the next one. */
export function withTargets({ batch, counted }: CalibrationBatch): ModelBatch {
  const { length, ids } = batch;
  const rows = Int32Array.from(ids.keys()).filter(
    (place) => place % length < length - 1 && counted[place + 1] === 1,
  );
  const labels = rows.map((place) => at(ids, place + 1));
  return { ...batch, rows, targets: { kind: "classes", labels } };
}
