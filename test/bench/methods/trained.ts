/**
 * @file Runs of the benchmark of methods, each kept in a folder of its own with what came of it: a second call trains only
 * what is missing.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";
import type { BenchRow } from "./rows.ts";

const program = join(import.meta.dirname, "../../../src/cli/spectune.ts");
const sample = join(import.meta.dirname, "../../../media/sample/lora.peft.yaml");

/** What every run is given alike. */
export const steps = 60;
/** Of those on which scores are measured. */
export const examples = 128;
const evalFile = "eval.jsonl";

export interface Job {
  readonly row: BenchRow;
  /** The row's method with its size decided. */
  readonly method: Readonly<Record<string, unknown>>;
  readonly learningRate: number;
  readonly seed: number;
}

export interface Outcome {
  readonly learningRate: number;
  readonly seed: number;
  /** Why there is no run: what the program said. */
  readonly refused?: string;
  readonly score: number;
  readonly loss: number;
  readonly parameters: number;
  /** Greatest resident memory of the process, in bytes. */
  readonly memory: number;
  /** Median seconds of a step, beside whatever else the machine did. */
  readonly step: number;
}

/** The result of a job, from its folder or trained now. */
export async function trained(folder: string, job: Job): Promise<Outcome> {
  const own = join(folder, `${job.row.name}-${job.learningRate}-${job.seed}`);
  const kept = join(own, "outcome.json");
  const before = existsSync(kept) ? outcomeIn(readFileSync(kept, "utf8")) : undefined;
  if (before) return before;
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  writeFileSync(join(folder, evalFile), measured());
  const file = join(own, "run.peft.yaml");
  writeFileSync(file, JSON.stringify(document(job)));
  const { code, out, err } = await spectune(["run", file, "--json"], own);
  const result = out.trim().split("\n").at(-1) ?? "";
  const outcome =
    code === 0
      ? { ...facts(JSON.parse(result)), learningRate: job.learningRate, seed: job.seed }
      : { ...nothing, learningRate: job.learningRate, seed: job.seed, refused: firstError(err) };
  rmSync(join(own, ".spectune"), { recursive: true, force: true });
  writeFileSync(kept, `${JSON.stringify(outcome)}\n`);
  return outcome;
}

const nothing = { score: NaN, loss: NaN, parameters: NaN, memory: NaN, step: NaN } as const;

/** The sample's LoRA experiment with another method, made short. */
export function document({ row, method, learningRate, seed }: Job): unknown {
  return {
    version: 1,
    extends: sample,
    data: { eval: `../${evalFile}`, test: null },
    method,
    train: {
      ...row.train,
      num_train_epochs: null,
      max_steps: steps,
      learning_rate: learningRate,
      seed,
    },
    eval: {
      eval_on_start: false,
      forgetting: null,
      metrics: ["loss", { exact_match: { max_new_tokens: 32 } }],
    },
    run: { threads: 1 },
  };
}

function measured(): string {
  const lines = readFileSync(join(dirname(sample), "data/eval.jsonl"), "utf8").split("\n");
  return `${lines.slice(0, examples).join("\n")}\n`;
}

/** Trainable parameters as `plan` counts them; `undefined` where it refuses. */
export async function planned(folder: string, job: Job): Promise<number | undefined> {
  writeFileSync(join(folder, evalFile), measured());
  const own = join(folder, `plan-${job.row.name}`);
  mkdirSync(own, { recursive: true });
  const file = join(own, "plan.peft.yaml");
  writeFileSync(file, JSON.stringify(document(job)));
  const { code, out } = await spectune(["plan", file, "--json"], folder);
  const plan: unknown = code === 0 ? JSON.parse(out.trim().split("\n").at(-1) ?? "null") : null;
  return isRecord(plan) ? Number(plan["trainableParameters"]) : undefined;
}

function facts(summary: unknown): Omit<Outcome, "learningRate" | "seed"> {
  if (!isRecord(summary) || !isRecord(summary["evalAfter"])) throw new Error("a run without eval");
  return {
    score: Number(summary["evalAfter"]["score"]),
    loss: Number(summary["evalAfter"]["loss"]),
    parameters: Number(summary["trainableParameters"]),
    memory: Number(summary["peakMemoryBytes"]),
    step: medianStep(String(summary["runDir"])),
  };
}

function medianStep(run: string): number {
  const seconds = readFileSync(join(run, "events.ndjson"), "utf8")
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line))
    .flatMap((event) =>
      isRecord(event) && event["type"] === "step" ? [Number(event["seconds"])] : [],
    )
    .toSorted((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)] ?? NaN;
}

function firstError(text: string): string {
  const lines = text.split("\n");
  const line = lines.find((candidate) => candidate.includes("error")) ?? lines[0] ?? "";
  return line.replace(/^\S*\/(?=[^/]*$)/, "").slice(0, 300);
}

function outcomeIn(text: string): Outcome | undefined {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) return undefined;
  const number = (name: string): number => (typeof value[name] === "number" ? value[name] : NaN);
  return {
    learningRate: number("learningRate"),
    seed: number("seed"),
    score: number("score"),
    loss: number("loss"),
    parameters: number("parameters"),
    memory: number("memory"),
    step: number("step"),
    ...(typeof value["refused"] === "string" ? { refused: value["refused"] } : {}),
  };
}

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function spectune(args: readonly string[], cwd: string): Promise<Said> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
    child.on("error", failed);
    child.on("close", (code) => {
      done({ code, ...said });
    });
  });
}
