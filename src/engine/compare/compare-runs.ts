/** @file Runs side by side: metrics with intervals, paired differences, budgets, and what is not comparable. */
import { at } from "../../shared/errors.ts";
import type {
  ComparedDifference,
  ComparedGroup,
  ComparedMetric,
  Comparison,
  ConfigDifference,
} from "../../shared/comparison.ts";
import type { Finding } from "../../shared/findings.ts";
import { present } from "../../shared/present.ts";
import { mean } from "../../shared/sums.ts";
import { pairedBootstrap } from "../statistics/bootstrap.ts";
import { meanOfSeeds, pairedDifference } from "../statistics/over-seeds.ts";
import { wilsonInterval } from "../statistics/wilson.ts";
import { meanBudget, unequalBudgets } from "./budgets.ts";
import type { RunGroup } from "./groups.ts";
import { groupRuns } from "./groups.ts";
import type { RunFacts } from "./run-facts.ts";

/** Compares at least one run. Runs that have not finished are listed and count for nothing. */
export function compareRuns(runs: readonly RunFacts[], confidence: number): Comparison {
  const { groups: all, differences } = groupRuns(runs);
  const findings: Finding[] = [];
  const groups = all.map((group) => ({ ...group, counted: counted(group, findings) }));
  const usable = groups.map(({ label, counted: own }) => ({ label, runs: own }));
  const reference = at(usable, 0);
  findings.push(
    ...unequalBudgets(usable.filter(({ runs: own }) => own.length > 0)),
    ...otherTestData(differences),
  );
  return {
    confidence,
    groups: groups.map(({ label, runs: own }, index) => {
      const group = at(usable, index);
      return {
        label,
        runs: own.map(({ id, folder, seed, state }) => ({ id, folder, seed, state })),
        metrics: metricsOf(group.runs, confidence),
        differences: index === 0 ? {} : differencesTo(reference.runs, group.runs, confidence),
        ...present({
          trainableParameters: meanBudget(group, "trainableParameters"),
          tokens: meanBudget(group, "tokens"),
          steps: meanBudget(group, "steps"),
          tuningRuns: meanBudget(group, "tuningRuns"),
          peakMemoryBytes: meanOf(group.runs.flatMap(({ cost }) => cost.peakMemoryBytes ?? [])),
          seconds: meanOf(group.runs.map(({ cost }) => cost.seconds)),
        }),
      };
    }),
    config: differences,
    findings,
  };
}

/** The finished runs, of several with one seed the newest. */
function counted({ label, runs }: RunGroup, findings: Finding[]): readonly RunFacts[] {
  const finished = runs.filter(({ state }) => state === "finished");
  for (const { id, state } of runs)
    if (state !== "finished")
      findings.push({
        code: "run-not-finished",
        severity: "warning",
        message: `${id} is ${state} and counts for nothing.`,
        remedy: `\`spectune run --resume ${id}\` goes on with it.`,
      });
  const newest = new Map<number, RunFacts>();
  for (const run of finished.toSorted((a, b) => (a.id < b.id ? -1 : 1))) newest.set(run.seed, run);
  if (newest.size < finished.length)
    findings.push({
      code: "seed-twice",
      severity: "warning",
      message: `\`${label}\` has ${finished.length} runs of ${newest.size} seed${newest.size === 1 ? "" : "s"}; the newest of each counts.`,
    });
  return [...newest.values()].toSorted((a, b) => a.seed - b.seed);
}

function metricsOf(
  runs: readonly RunFacts[],
  confidence: number,
): Readonly<Record<string, ComparedMetric>> {
  const entries = namesOf(runs).map((name): readonly [string, ComparedMetric] => {
    const values = runs.flatMap(({ metrics }) => metrics[name] ?? []);
    const { count, mean, deviation, interval } = meanOfSeeds(values, confidence);
    if (interval && deviation !== undefined)
      return [name, { mean, runs: count, deviation, interval: { ...interval, over: "seeds" } }];
    const share = runs.find(({ metrics }) => metrics[name] !== undefined)?.shares[name];
    if (share === undefined) return [name, { mean, runs: count }];
    return [
      name,
      {
        mean,
        runs: count,
        interval: {
          ...wilsonInterval(share.successes, share.trials, confidence),
          over: "examples",
        },
      },
    ];
  });
  return Object.fromEntries(entries);
}

function differencesTo(
  reference: readonly RunFacts[],
  runs: readonly RunFacts[],
  confidence: number,
): ComparedGroup["differences"] {
  const entries = namesOf(runs).flatMap(
    (name): readonly (readonly [string, ComparedDifference])[] => {
      const difference = pairedDifference(bySeed(runs, name), bySeed(reference, name), confidence);
      if (difference === undefined) return [];
      const { mean, seeds, interval, pValue } = difference;
      const overSeeds = interval && { ...interval, over: "seeds" as const };
      const told = overSeeds ?? overExamples(reference, runs, name, seeds, confidence);
      return [[name, { mean, seeds, ...present({ interval: told, pValue }) }]];
    },
  );
  return Object.fromEntries(entries);
}

/** Draws of examples altogether, so that large test sets take seconds too. */
const mostDraws = 2_000_000;

/** One pair of runs says nothing about seeds, and their scores on the same examples about the test set. */
function overExamples(
  reference: readonly RunFacts[],
  runs: readonly RunFacts[],
  name: string,
  seeds: readonly number[],
  confidence: number,
): ComparedDifference["interval"] {
  const [a, b] = [runs, reference].map(
    (list) => list.find(({ seed }) => seed === seeds[0])?.scores[name],
  );
  if (a === undefined || b?.size !== a.size) return undefined;
  const pairs = [...a].map(([index, score]) => [score, b.get(index)] as const);
  const others = pairs.flatMap(([, other]) => other ?? []);
  // Other examples are no pairs.
  if (others.length < pairs.length) return undefined;
  const resamples = Math.max(1000, Math.min(10_000, Math.floor(mostDraws / pairs.length)));
  const { interval } = pairedBootstrap(
    pairs.map(([score]) => score),
    others,
    { confidence, seed: 0, resamples },
  );
  return { ...interval, over: "examples" };
}

function bySeed(runs: readonly RunFacts[], name: string): ReadonlyMap<number, number> {
  return new Map(
    runs.flatMap(({ seed, metrics }) => {
      const value = metrics[name];
      return value === undefined ? [] : [[seed, value] as const];
    }),
  );
}

function namesOf(runs: readonly RunFacts[]): readonly string[] {
  return [...new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)))];
}

function otherTestData(differences: readonly ConfigDifference[]): readonly Finding[] {
  const fields = ["data.test", "data.eval", "model.id"];
  return differences
    .filter(({ field }) => fields.includes(field))
    .map(({ field }) => ({
      code: "other-data",
      severity: "warning",
      message: `The runs differ in \`${field}\`: their scores are not of the same thing.`,
    }));
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : mean(values);
}
