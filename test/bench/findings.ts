/**
 * @file What "LoRA vs Full Fine-tuning: An Illusion of Equivalence" found of intruder dimensions, tried on the sample: 105
 * runs over ranks, scales, learning rates and five seeds. They take an hour on two cores: `SPECTUNE_FINDINGS` names a
 * `.spectune` folder in which they are kept, so that counting anew trains nothing.
 */
import { at } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { rankCorrelation } from "../../src/engine/metrics/correlation.ts";
import { meanOfSeeds, pairedDifference } from "../../src/engine/statistics/over-seeds.ts";
import { studentTTail } from "../../src/engine/statistics/quantiles.ts";
import type { TrainedRun } from "./findings/runs.ts";
import { trainedRuns } from "./findings/runs.ts";
import { spectune, trainedFolder } from "./findings/trained.ts";

const confidence = 0.95;
const top = 10;
/** Above the noise floor of vectors of 160 numbers, a random one's greatest cosine being 0.25. */
const thresholds = [0.35, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/** A run with the number of its intruders at each threshold, and the vectors that were looked at. */
export interface Counted extends TrainedRun {
  readonly counts: Readonly<Record<string, number>>;
  readonly vectors: number;
}

export function findings(): Promise<unknown> {
  const runs = trainedRuns(trainedFolder("sweep.peft.yaml")).map(counted);
  const groups = Map.groupBy(runs, nameOf);
  return Promise.resolve({
    runs: runs.length,
    top,
    thresholds,
    table: [...groups].map(([name, its]) => row(name, its)),
    learningRate: [...Map.groupBy(runs, rankOf)].flatMap(([rank, its]) =>
      new Set(its.map(({ learningRate }) => learningRate)).size < 3
        ? []
        : [{ rank, ...correlation(its, ({ learningRate }) => learningRate, count) }],
    ),
    forgetting: correlation(
      runs.filter(({ score }) => score >= 0.99),
      count,
      ({ general, generalBefore }) => general - generalBefore,
    ),
    againstFull: againstFull(groups),
  });
}

export function counted(run: TrainedRun): Counted {
  const result = spectune(
    [
      "intruders",
      "--run",
      run.folder,
      "--threshold",
      "0.5",
      "--top",
      String(top),
      "--exact",
      "--json",
    ],
    run.folder,
  );
  const matrices = Array.isArray(result["matrices"]) ? result["matrices"].filter(isRecord) : [];
  const cosines = matrices.flatMap(({ vectors }) =>
    (Array.isArray(vectors) ? vectors.filter(isRecord) : []).map(({ upper }) => Number(upper)),
  );
  const counts = thresholds.map((threshold): [string, number] => [
    String(threshold),
    cosines.filter((cosine) => cosine < threshold).length,
  ]);
  return { ...run, counts: Object.fromEntries(counts), vectors: cosines.length };
}

export function row(name: string, runs: readonly Counted[]): unknown {
  const over = (value: (run: Counted) => number) => meanOfSeeds(runs.map(value), confidence);
  return {
    name,
    seeds: runs.map(({ seed }) => seed),
    score: over(({ score }) => score),
    general: over(({ general }) => general),
    vectors: at(runs, 0).vectors,
    counts: Object.fromEntries(
      thresholds.map((threshold) => [threshold, over(({ counts }) => counts[threshold] ?? NaN)]),
    ),
  };
}

/** Each LoRA group against full fine-tuning of nearest score, seed by seed; only where the scores are within a point. */
function againstFull(groups: ReadonlyMap<string, readonly Counted[]>): readonly unknown[] {
  const mean = (runs: readonly Counted[]): number =>
    runs.reduce((sum, { score }) => sum + score, 0) / runs.length;
  const full = [...groups.values()].filter((runs) => at(runs, 0).method === "full");
  return [...groups].flatMap(([name, runs]) => {
    if (at(runs, 0).method === "full") return [];
    const nearest = full.toSorted(
      (a, b) => Math.abs(mean(a) - mean(runs)) - Math.abs(mean(b) - mean(runs)),
    )[0];
    if (nearest === undefined || Math.abs(mean(nearest) - mean(runs)) > 0.01) return [];
    const bySeed = (value: (run: Counted) => number) => (its: readonly Counted[]) =>
      new Map(its.map((run) => [run.seed, value(run)]));
    const difference = (value: (run: Counted) => number): unknown =>
      pairedDifference(bySeed(value)(runs), bySeed(value)(nearest), confidence);
    return [
      {
        name,
        against: nameOf(at(nearest, 0)),
        count: difference(count),
        general: difference(({ general }) => general),
      },
    ];
  });
}

/** Spearman's correlation with its two-sided p by Student's t. */
function correlation(
  runs: readonly Counted[],
  x: (run: Counted) => number,
  y: (run: Counted) => number,
): { readonly n: number; readonly spearman: number; readonly p: number } {
  const n = runs.length;
  const rho = rankCorrelation(runs.map(x), runs.map(y));
  const t = rho * Math.sqrt((n - 2) / (1 - rho * rho));
  return { n, spearman: rho, p: 2 * studentTTail(Math.abs(t), n - 2) };
}

export function count({ counts }: Counted): number {
  return counts["0.5"] ?? NaN;
}

function rankOf({ method, rank, alpha }: Counted): string {
  return method === "full" ? method : `r ${rank}, alpha ${alpha}`;
}

function nameOf(run: Counted): string {
  return `${rankOf(run)}, lr ${run.learningRate}`;
}
