/**
 * @file Every row of the catalog that decides how a model is tuned, on the sample's task: the same five learning rates and
 * three seeds for each, 60 steps. `SPECTUNE_METHODS` names a folder in which runs are kept, so that a second call trains only
 * what is missing; with `SPECTUNE_METHODS_UNTIL` (seconds) a call ends early with what there is. All of it takes hours.
 */
import { mkdtempSync, readFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRecord } from "../../src/shared/wire.ts";
import { meanOfSeeds, pairedDifference } from "../../src/engine/statistics/over-seeds.ts";
import type { BenchRow } from "./methods/rows.ts";
import { benchRows, reference } from "./methods/rows.ts";
import type { Job, Outcome } from "./methods/trained.ts";
import { examples, planned, steps, trained } from "./methods/trained.ts";

const confidence = 0.95;
export const learningRates = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2] as const;
/** In the order in which they are tried. */
const fromTheMiddle = [3e-3, 1e-2, 1e-3, 3e-2, 3e-4] as const;
export const seeds = [0, 1, 2] as const;
const atOnce = Number(process.env["SPECTUNE_METHODS_AT_ONCE"] ?? 2);

export async function methods(): Promise<unknown> {
  const folder =
    process.env["SPECTUNE_METHODS"] ?? mkdtempSync(join(tmpdir(), "spectune-methods-"));
  mkdirSync(folder, { recursive: true });
  const until =
    performance.now() + 1000 * Number(process.env["SPECTUNE_METHODS_UNTIL"] ?? Infinity);
  const outcomes = new Map<string, Outcome[]>(benchRows.map(({ name }) => [name, []]));
  const sizes = new Map<string, BenchRow["method"]>();

  const run = async (row: BenchRow, learningRate: number, seed: number): Promise<void> => {
    if (performance.now() > until) return;
    const method = sizes.get(row.name) ?? (await sized(folder, row));
    sizes.set(row.name, method);
    const job: Job = { row, method, learningRate, seed };
    const outcome = await trained(folder, job);
    outcomes.get(row.name)?.push(outcome);
    process.stderr.write(
      `${row.name} ${learningRate} ${seed}: ${outcome.refused ?? `${outcome.score} ${outcome.loss}`}\n`,
    );
  };
  /** What tells most comes first: all rates at one seed, the best rate at the others, then the rest of the grid. */
  await inTurn(
    fromTheMiddle.flatMap((rate) => benchRows.map((row) => () => run(row, rate, seeds[0]))),
  );
  const later = seeds.slice(1);
  const order = (row: BenchRow): readonly number[] => {
    const best = bestRate(outcomes.get(row.name) ?? []);
    return learningRates.toSorted((a, b) => Number(b === best) - Number(a === best));
  };
  await inTurn(
    learningRates.flatMap((_, place) =>
      later.flatMap((seed) =>
        benchRows.map((row) => () => run(row, order(row)[place] ?? NaN, seed)),
      ),
    ),
  );
  return { steps, examples, learningRates, seeds, rows: table(outcomes) };
}

/** Several jobs at once, each begun when one before it is done. */
async function inTurn(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = jobs[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const job of queue) await job();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** The value of the knob whose number of parameters is nearest to LoRA's; counts rise or fall with it. */
async function sized(folder: string, row: BenchRow): Promise<BenchRow["method"]> {
  const { knob } = row;
  if (!knob) return row.method;
  const kept = join(folder, `size-${row.name}.json`);
  if (existsSync(kept)) {
    const value: unknown = JSON.parse(readFileSync(kept, "utf8"));
    if (isRecord(value)) return value;
  }
  const [lora] = benchRows;
  const count = (of: BenchRow, method: BenchRow["method"]): Promise<number | undefined> =>
    planned(folder, { row: of, method, learningRate: learningRates[2], seed: 0 });
  const wanted = (lora && (await count(lora, lora.method))) ?? NaN;
  const at = async (place: number): Promise<number> =>
    (await count(row, { ...row.method, [knob.field]: knob.values[place] })) ?? Infinity;
  let [low, high] = [0, knob.values.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await at(middle)) <= wanted) low = middle;
    else high = middle;
  }
  const nearer = Math.abs((await at(low)) - wanted) <= Math.abs((await at(high)) - wanted);
  const method = { ...row.method, [knob.field]: knob.values[nearer ? low : high] };
  writeFileSync(kept, JSON.stringify(method));
  return method;
}

/** The rate of lowest mean loss on `eval` among those that all seeds so far were tried at. */
function bestRate(outcomes: readonly Outcome[]): number | undefined {
  const usable = outcomes.filter(({ loss }) => Number.isFinite(loss));
  const byRate = [...Map.groupBy(usable, ({ learningRate }) => learningRate)];
  const most = Math.max(...byRate.map(([, its]) => its.length));
  return byRate
    .filter(([, its]) => its.length === most)
    .map(([rate, its]) => ({ rate, loss: mean(its.map(({ loss }) => loss)) }))
    .toSorted((a, b) => a.loss - b.loss)[0]?.rate;
}

function table(outcomes: ReadonlyMap<string, readonly Outcome[]>): readonly unknown[] {
  const best = new Map(
    [...outcomes].map(([name, its]) => {
      const rate = bestRate(its);
      return [name, its.filter(({ learningRate }) => learningRate === rate)];
    }),
  );
  const scores = (its: readonly Outcome[]): ReadonlyMap<number, number> =>
    new Map(its.map(({ seed, score }) => [seed, score]));
  const lora = best.get(reference) ?? [];
  return benchRows.map(({ name, kind }) => {
    const all = outcomes.get(name) ?? [];
    const its = best.get(name) ?? [];
    const [first] = its;
    if (!first) return { name, kind, refused: all.find(({ refused }) => refused)?.refused };
    return {
      name,
      kind,
      runs: all.length,
      learningRate: first.learningRate,
      parameters: first.parameters,
      score: meanOfSeeds(
        its.map(({ score }) => score),
        confidence,
      ),
      loss: mean(its.map(({ loss }) => loss)),
      againstLora:
        name === reference ? undefined : pairedDifference(scores(its), scores(lora), confidence),
      memory: mean(its.map(({ memory }) => memory)),
      scores: learningRates.map((rate) =>
        all.filter(({ learningRate }) => learningRate === rate).map(({ score }) => score),
      ),
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
