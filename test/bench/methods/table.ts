/** @file The table of the benchmark of methods: each row at its best learning rate, with its interval and beside LoRA. */
import { median } from "../support/peak.ts";
import type { MeanOfSeeds } from "../../../src/engine/statistics/over-seeds.ts";
import { meanOfSeeds, pairedDifference } from "../../../src/engine/statistics/over-seeds.ts";
import type { BenchRow } from "./rows.ts";
import { reference } from "./rows.ts";
import type { Outcome } from "./trained.ts";
import { whys } from "./whys.ts";

const confidence = 0.95;

/** The rate of highest mean score among those that most seeds so far were tried at; of equal ones that of lowest loss. */
export function bestRate(outcomes: readonly Outcome[]): number | undefined {
  const usable = outcomes.filter(({ loss }) => Number.isFinite(loss));
  const byRate = [...Map.groupBy(usable, ({ learningRate }) => learningRate)];
  const most = Math.max(...byRate.map(([, its]) => its.length));
  return byRate
    .filter(([, its]) => its.length === most)
    .map(([rate, its]) => ({
      rate,
      score: mean(its.map(({ score }) => score)),
      loss: mean(its.map(({ loss }) => loss)),
    }))
    .toSorted((a, b) => b.score - a.score || a.loss - b.loss)[0]?.rate;
}

export interface Measurements {
  readonly outcomes: ReadonlyMap<string, readonly Outcome[]>;
  /** In bytes. */
  readonly memory: ReadonlyMap<string, number | undefined>;
}

export function scoreTable(
  rows: readonly BenchRow[],
  { outcomes, memory }: Measurements,
  learningRates: readonly number[],
): readonly unknown[] {
  const of = (name: string): readonly Outcome[] => outcomes.get(name) ?? [];
  const atBest = (name: string): readonly Outcome[] => {
    const rate = bestRate(of(name));
    return of(name).filter(({ learningRate }) => learningRate === rate);
  };
  const lora = atBest(reference);
  const loraStep = lora.length > 0 ? stepOf(of(reference)) : NaN;
  const scoreOf = (outcomes: readonly Outcome[]): MeanOfSeeds =>
    meanOfSeeds(
      outcomes.map(({ score }) => score),
      confidence,
    );
  const loraScore = lora.length > 0 ? scoreOf(lora) : undefined;
  return rows.map(({ name, kind }) => {
    const all = of(name);
    const its = atBest(name);
    const [first] = its;
    if (!first) return { name, kind, refused: all.find(({ refused }) => refused)?.refused };
    const score = scoreOf(its);
    return {
      name,
      kind,
      runs: all.length,
      learningRate: first.learningRate,
      parameters: first.parameters,
      score,
      loss: mean(its.map(({ loss }) => loss)),
      againstLora:
        name === reference ? undefined : pairedDifference(bySeed(its), bySeed(lora), confidence),
      why: isOutside(score, loraScore) ? whys[name] : undefined,
      step: stepOf(all) / loraStep,
      memory: memory.get(name),
      scores: learningRates.map((rate) =>
        all.filter(({ learningRate }) => learningRate === rate).map(({ score }) => score),
      ),
    };
  });
}

/** Whether a mean lies outside the reference's interval; nothing does where that has none. */
function isOutside({ mean }: MeanOfSeeds, of: MeanOfSeeds | undefined): boolean {
  const interval = of?.interval;
  return interval !== undefined && (mean < interval.low || mean > interval.high);
}

/** The median over runs of their median step: a busy machine slows some. */
function stepOf(outcomes: readonly Outcome[]): number {
  return median(outcomes.map(({ step }) => step).filter(Number.isFinite));
}

function bySeed(outcomes: readonly Outcome[]): ReadonlyMap<number, number> {
  return new Map(outcomes.map(({ seed, score }) => [seed, score]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
