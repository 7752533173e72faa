/** @file The trained runs of the findings: what each was asked for, and what came of it, from its folder. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isRecord } from "../../../src/shared/wire.ts";

export interface TrainedRun {
  readonly folder: string;
  readonly method: string;
  /** Of LoRA. */
  readonly rank?: number;
  readonly alpha?: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Share of completions that are exactly right. */
  readonly score: number;
  /** Loss on general text, after and before. */
  readonly general: number;
  readonly generalBefore: number;
}

/** The finished runs in a `.spectune` folder. */
export function trainedRuns(spectune: string): readonly TrainedRun[] {
  const runs = join(spectune, "runs");
  return readdirSync(runs).flatMap((name) => trainedRun(join(runs, name)) ?? []);
}

function trainedRun(folder: string): TrainedRun | undefined {
  const experiment: unknown = parse(readFileSync(join(folder, "experiment.yaml"), "utf8"));
  const events = readFileSync(join(folder, "events.ndjson"), "utf8")
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line))
    .filter(isRecord);
  if (!events.some((event) => field(event, "summary", "status") === "finished")) return undefined;
  const metric = (split: string, moment: string, name: string): number => {
    const found = events.findLast(
      (event) => event["split"] === split && event["moment"] === moment,
    );
    return Number(field(found, "metrics", name));
  };
  const [method] = asList(field(experiment, "method"));
  const rank = field(method, "r");
  const alpha = field(method, "alpha");
  return {
    folder,
    method: String(field(method, "type")),
    ...(rank === undefined ? {} : { rank: Number(rank) }),
    ...(alpha === undefined ? {} : { alpha: Number(alpha) }),
    learningRate: Number(field(experiment, "train", "learning_rate")),
    seed: Number(field(experiment, "train", "seed")),
    score: metric("eval", "after", "exact_match"),
    general: metric("general", "after", "loss"),
    generalBefore: metric("general", "before", "loss"),
  };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((at, name) => (isRecord(at) ? at[name] : undefined), value);
}
