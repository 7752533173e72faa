/**
 * @file Runs of the benchmark of methods: what each is, and what came of it, kept under what it was made of. A second call
 * trains only what no earlier one did.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { isRecord } from "../../../src/shared/wire.ts";
import type { BenchRow } from "./rows.ts";

const sample = join(import.meta.dirname, "../../../media/sample/lora.peft.yaml");
const worker = join(import.meta.dirname, "worker.ts");

/**
 * What every run is given alike. In 40 steps of 8 examples LoRA answers about half of the questions at its best rate: both
 * better and worse methods show. More steps bring most methods to all of them.
 */
export const steps = 40;
export const batch = 8;
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
  readonly refused?: string | undefined;
  readonly score: number;
  readonly loss: number;
  readonly parameters: number;
  /** Median processor seconds of a step. */
  readonly step: number;
}

export interface Trainer {
  /** The result of a job of an earlier call. */
  known(job: Job): Outcome | undefined;
  /** The result of a job, from an earlier call or trained now. */
  trained(job: Job): Promise<Outcome>;
  /** Greatest resident memory in bytes of a process that trains nothing else, for a few steps; only of an earlier call where `train` is false. */
  memory(job: Job, train: boolean): Promise<number | undefined>;
  /** Trainable parameters; undefined where the program refuses. */
  counted(job: Job): Promise<number | undefined>;
  /** Everything known, a line each, to begin the next call with. */
  lines(): readonly string[];
  end(): void;
}

/** Runs before a process gives way to a fresh one. */
const runsOfProcess = 12;
/** Steps in which memory is measured. */
const memorySteps = 3;

/** `known` are lines of earlier calls beside those in the folder. */
export function openTrainer(folder: string, known: readonly string[]): Trainer {
  const evalPath = join(folder, evalFile);
  writeFileSync(evalPath, measured());
  const file = join(folder, "runs.jsonl");
  const kept = new Map<string, string>();
  const own = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  for (const line of [...known, ...own]) {
    const value = recordOf(line);
    if (value) kept.set(String(value["key"]), line);
  }
  let child: ChildProcess | undefined;
  let runs = 0;
  const end = (): void => {
    child?.kill();
    child = undefined;
    runs = 0;
  };
  const ask = async (
    document: string,
    count: boolean,
  ): Promise<Readonly<Record<string, unknown>>> => {
    child ??= fork(worker, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const running = child;
    const done = new AbortController();
    const answer = once(running, "message", done).then(([message]): unknown => message);
    const closed = once(running, "exit", done).then(() => ({ failed: "The process ended." }));
    for (const waiting of [answer, closed]) waiting.catch(() => undefined);
    running.send({ document, count });
    const made = await Promise.race([answer, closed]);
    done.abort();
    if (running.exitCode !== null || running.signalCode !== null) end();
    return isRecord(made) ? made : {};
  };
  const answered = async (
    { row, method, learningRate, seed }: Job,
    document: object,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const key = keyOf(row.name, document);
    const before = recordOf(kept.get(key) ?? "");
    if (before) return before;
    if (runs >= runsOfProcess) end();
    runs++;
    const made = await ask(JSON.stringify(document), false);
    if (typeof made["failed"] === "string") throw new Error(made["failed"]);
    const found = { key, name: row.name, method, learningRate, seed, ...made };
    const line = JSON.stringify(found);
    kept.set(key, line);
    appendFileSync(file, `${line}\n`);
    return found;
  };
  return {
    known(job) {
      const before = recordOf(kept.get(keyOf(job.row.name, documentOf(job, evalPath))) ?? "");
      return before && outcomeIn(before, job);
    },
    async trained(job) {
      return outcomeIn(await answered(job, documentOf(job, evalPath)), job);
    },
    async memory(job, train) {
      const whole = documentOf(job, evalPath);
      const document = { ...whole, train: { ...whole.train, max_steps: memorySteps } };
      const isKnown = kept.has(keyOf(job.row.name, document));
      if (!isKnown && !train) return undefined;
      if (!isKnown) end();
      const { memory } = await answered(job, document);
      return typeof memory === "number" ? memory : undefined;
    },
    async counted(job) {
      const made = await ask(JSON.stringify(documentOf(job, evalPath)), true);
      return typeof made["parameters"] === "number" ? made["parameters"] : undefined;
    },
    lines: () => [...kept.values()],
    end,
  };
}

/** The sample's LoRA experiment with another method, made short. */
function documentOf({ row, method, learningRate, seed }: Job, evalPath: string) {
  return {
    version: 1,
    extends: sample,
    data: { eval: evalPath, test: null },
    method,
    train: {
      ...row.train,
      num_train_epochs: null,
      max_steps: steps,
      batch_size: batch,
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

/** What a run is made of: its document but for folders, and the sample's files. */
function keyOf(name: string, document: object): string {
  const text = JSON.stringify({ ...document, extends: undefined, data: undefined });
  // What the sample's file says, not how.
  const extended = JSON.stringify(parse(readFileSync(sample, "utf8")));
  return createHash("sha256")
    .update(`${name}\n${text}\n${extended}\n${measured()}`)
    .update(readFileSync(join(dirname(sample), "data/train.jsonl")))
    .digest("hex")
    .slice(0, 16);
}

function measured(): string {
  const lines = readFileSync(join(dirname(sample), "data/eval.jsonl"), "utf8").split("\n");
  return `${lines.slice(0, examples).join("\n")}\n`;
}

function outcomeIn(
  value: Readonly<Record<string, unknown>>,
  { learningRate, seed }: Pick<Job, "learningRate" | "seed">,
): Outcome {
  const number = (name: string): number => (typeof value[name] === "number" ? value[name] : NaN);
  return {
    ...{ learningRate, seed },
    ...{ score: number("score"), loss: number("loss"), parameters: number("parameters") },
    step: number("step"),
    refused: typeof value["refused"] === "string" ? value["refused"] : undefined,
  };
}

function recordOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (line === "") return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    // A line that an end cut off.
    return undefined;
  }
}
