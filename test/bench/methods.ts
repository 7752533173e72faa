/**
 * @file Every row of the catalog that decides how a model is tuned, on the sample's task: the same five learning rates and
 * three seeds for each. What a call trained is kept in the folder that `SPECTUNE_METHODS` names and in the result, and the
 * next call goes on from both; with `SPECTUNE_METHODS_UNTIL` (seconds) a call ends early with what there is. All of it takes
 * about two hours of one core.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import type { BenchRow } from "./methods/rows.ts";
import { benchRows, reference } from "./methods/rows.ts";
import { bestRate, scoreTable } from "./methods/table.ts";
import type { Outcome, Trainer } from "./methods/trained.ts";
import { batch, examples, openTrainer, steps } from "./methods/trained.ts";

/** LoRA's best one is in the middle. */
export const learningRates = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1] as const;
/** In the order in which they are tried. */
const fromTheMiddle = [1e-2, 3e-3, 3e-2, 1e-3, 1e-1] as const;
export const seeds = [0, 1, 2] as const;
const recorded = join(import.meta.dirname, "results/methods.json");

export async function methods(): Promise<unknown> {
  const folder =
    process.env["SPECTUNE_METHODS"] ?? mkdtempSync(join(tmpdir(), "spectune-methods-"));
  mkdirSync(folder, { recursive: true });
  const end = performance.now() + 1000 * Number(process.env["SPECTUNE_METHODS_UNTIL"] ?? Infinity);
  const isLate = (): boolean => performance.now() > end;
  const trainer = openTrainer(folder, earlier());
  const outcomes = new Map<string, Outcome[]>(benchRows.map(({ name }) => [name, []]));
  const sizes = new Map<string, BenchRow["method"]>();

  const run = async (row: BenchRow, learningRate: number, seed: number): Promise<void> => {
    const before = outcomes.get(row.name) ?? [];
    if (before.some((known) => known.learningRate === learningRate && known.seed === seed)) return;
    const method =
      sizes.get(row.name) ??
      keptSize(folder, row) ??
      (isLate() ? undefined : await sized(trainer, folder, row));
    if (!method) return;
    sizes.set(row.name, method);
    const job = { row, method, learningRate, seed };
    const outcome =
      trainer.known(job) ?? (isLate() ? undefined : await trainer.trained(job).catch(failure));
    if (!outcome) return;
    outcomes.get(row.name)?.push(outcome);
    const told = outcome.refused ?? `${outcome.score} ${outcome.loss} ${outcome.step}`;
    process.stderr.write(`${row.name} ${learningRate} ${seed}: ${told}\n`);
  };
  const memory = new Map<string, number | undefined>();
  const memoryOf = async (row: BenchRow): Promise<void> => {
    const method = sizes.get(row.name);
    if (!method) return;
    const job = { row, method, learningRate: fromTheMiddle[0], seed: seeds[0] };
    memory.set(row.name, await trainer.memory(job, !isLate()).catch(failure));
  };
  try {
    /**
     * What tells most comes first: LoRA, which all are held against; all rates at one seed, the best rate at the others, then
     * the rest of the grid.
     */
    const [first, ...later] = seeds;
    for (const row of benchRows.filter(({ name }) => name === reference))
      for (const seed of seeds) for (const rate of fromTheMiddle) await run(row, rate, seed);
    for (const rate of fromTheMiddle) for (const row of benchRows) await run(row, rate, first);
    const best = new Map(
      benchRows.map(({ name }) => [name, bestRate(outcomes.get(name) ?? [])] as const),
    );
    const orderOf = (row: BenchRow): readonly number[] =>
      fromTheMiddle.toSorted(
        (a, b) => Number(b === best.get(row.name)) - Number(a === best.get(row.name)),
      );
    for (const place of fromTheMiddle.keys())
      for (const seed of later)
        for (const row of benchRows) await run(row, orderOf(row)[place] ?? NaN, seed);
    for (const row of benchRows) await memoryOf(row);
  } finally {
    trainer.end();
  }
  const table = scoreTable(benchRows, { outcomes, memory }, learningRates);
  return { steps, batch, examples, learningRates, seeds, rows: table, runs: trainer.lines() };
}

/** Nothing is kept of a run that failed: the next call tries it again. */
function failure(error: unknown): undefined {
  process.stderr.write(`${messageOf(error)}\n`);
}

/** The runs of the last result. */
function earlier(): readonly string[] {
  const report: unknown = existsSync(recorded) ? JSON.parse(readFileSync(recorded, "utf8")) : {};
  const result = isRecord(report) && isRecord(report["result"]) ? report["result"] : {};
  return Array.isArray(result["runs"]) ? result["runs"].map(String) : [];
}

/** The row's method with the size that an earlier call found, or without one to find. */
function keptSize(
  folder: string,
  { name, knob, method }: BenchRow,
): BenchRow["method"] | undefined {
  if (!knob) return method;
  const kept = join(folder, `size-${name}.json`);
  const value: unknown = existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : undefined;
  return isRecord(value) ? value : undefined;
}

/** The value of the knob whose number of parameters is nearest to LoRA's; counts rise along the values. */
async function sized(trainer: Trainer, folder: string, row: BenchRow): Promise<BenchRow["method"]> {
  const { knob } = row;
  if (!knob) return row.method;
  const [lora] = benchRows;
  const count = (of: BenchRow, method: BenchRow["method"]): Promise<number | undefined> =>
    trainer.counted({ row: of, method, learningRate: learningRates[2], seed: 0 });
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
  writeFileSync(join(folder, `size-${row.name}.json`), JSON.stringify(method));
  return method;
}
