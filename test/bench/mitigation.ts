/**
 * @file What scaling intruder dimensions costs and gains on the sample, over five seeds: score of the task and loss on
 * general text before, after, and where neighbours are scaled instead. It takes half an hour where `SPECTUNE_FINDINGS`
 * names the `.spectune` folder that the benchmark findings has left, else the runs are trained first.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { meanOfSeeds, pairedDifference } from "../../src/engine/statistics/over-seeds.ts";
import type { TrainedRun } from "./findings/runs.ts";
import { trainedRuns } from "./findings/runs.ts";
import { spectune, trainedFolder } from "./findings/trained.ts";

const confidence = 0.95;
const data = join(import.meta.dirname, "../../media/sample/data/test.jsonl");

/** The groups with the most intruders, and a small and a large rank. */
const groups = [
  { rank: 8, learningRate: 6.8e-3 },
  { rank: 1, learningRate: 6.8e-3 },
] as const;

const settings = [
  { which: "top", keep: 0.9 },
  { which: "top", keep: 0.75 },
  { which: "top", keep: 0.5 },
  { which: "top", keep: 0 },
  { which: "all", keep: 0.9 },
  { which: "all", keep: 0.5 },
] as const;

type Setting = (typeof settings)[number];

/** What was measured of one run. */
interface Measured {
  readonly seed: number;
  readonly scaled: number;
  readonly score: States;
  readonly general: States;
}

interface States {
  readonly before: number;
  readonly after: number;
  readonly control: number;
}

export function mitigation(): Promise<unknown> {
  const runs = trainedRuns(trainedFolder("sweep.peft.yaml"));
  const rows = groups.flatMap(({ rank, learningRate }) => {
    const its = runs.filter(
      (run) => run.rank === rank && run.alpha === 2 * rank && run.learningRate === learningRate,
    );
    return settings.map((setting) => {
      const measured = its.map((run) => mitigated(run, setting));
      process.stderr.write(`r ${rank} ${setting.which} ${setting.keep}: ${measured.length} runs\n`);
      return { rank, learningRate, ...setting, ...row(measured) };
    });
  });
  return Promise.resolve({ confidence, rows });
}

function row(measured: readonly Measured[]): object {
  const bySeed = (value: (one: Measured) => number) =>
    new Map(measured.map((one) => [one.seed, value(one)]));
  const over = (value: (one: Measured) => number) => meanOfSeeds(measured.map(value), confidence);
  const figures = (of: "score" | "general"): object => {
    const before = bySeed((one) => one[of].before);
    const against = (state: "after" | "control") =>
      pairedDifference(
        bySeed((one) => one[of][state]),
        before,
        confidence,
      );
    return {
      before: over((one) => one[of].before),
      after: over((one) => one[of].after),
      control: over((one) => one[of].control),
      afterDifference: against("after"),
      controlDifference: against("control"),
    };
  };
  return {
    seeds: measured.map(({ seed }) => seed),
    scaled: over(({ scaled }) => scaled),
    score: figures("score"),
    general: figures("general"),
  };
}

function mitigated(run: TrainedRun, { which, keep }: Setting): Measured {
  const folder = mkdtempSync(join(tmpdir(), "spectune-mitigation-"));
  const out = join(folder, "out");
  const args = ["mitigate", "--run", run.folder, "--keep", String(keep), "--which", which];
  const json = spectune([...args, "--data", data, "--out", out, "--json"], folder);
  rmSync(folder, { recursive: true });
  const rows = listOf(json["measured"]);
  const states = (on: string, metric: string): States => {
    const found = rows.filter((one) => one["on"] === on && one["metric"] === metric);
    const [before, after, control] = ["before", "after", "control"].map((state) =>
      Number(at(found, 0)[state]),
    );
    return { before: before ?? NaN, after: after ?? NaN, control: control ?? NaN };
  };
  const scaled = listOf(json["matrices"]).reduce(
    (sum, { indices }) => sum + (Array.isArray(indices) ? indices.length : 0),
    0,
  );
  return {
    seed: run.seed,
    scaled,
    score: states("task", "exact_match"),
    general: states("general text", "loss"),
  };
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
