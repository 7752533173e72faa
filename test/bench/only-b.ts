/**
 * @file Training B alone against training both factors, on the sample: the paper on intruder dimensions finds fewer where A
 * stays. `SPECTUNE_ONLY_B` names a `.spectune` folder in which the ten runs are kept, else they are trained first.
 */
import { meanOfSeeds, pairedDifference } from "../../src/engine/statistics/over-seeds.ts";
import type { Counted } from "./findings.ts";
import { count, counted, row } from "./findings.ts";
import { trainedRuns } from "./findings/runs.ts";
import { trainedFolder } from "./findings/trained.ts";

const confidence = 0.95;

export function onlyB(): Promise<unknown> {
  const runs = trainedRuns(trainedFolder("only-b.peft.yaml")).map(counted);
  const alone = runs.filter(({ learningRate }) => learningRate < 1e-6);
  const both = runs.filter(({ learningRate }) => learningRate >= 1e-6);
  const bySeed = (its: readonly Counted[], value: (run: Counted) => number) =>
    new Map(its.map((run) => [run.seed, value(run)]));
  const against = (value: (run: Counted) => number) => ({
    both: meanOfSeeds(both.map(value), confidence),
    alone: meanOfSeeds(alone.map(value), confidence),
    difference: pairedDifference(bySeed(alone, value), bySeed(both, value), confidence),
  });
  return Promise.resolve({
    table: [row("both factors", both), row("B alone", alone)],
    intruders: against(count),
    score: against(({ score }) => score),
    forgetting: against(({ general, generalBefore }) => general - generalBefore),
  });
}
