/** @file Trains a few steps through the engine's own session and measures them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import process, { resourceUsage } from "node:process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readExperimentFile } from "../../../src/cli/read-file.ts";
import { withAbsolutePaths } from "../../../src/engine/session/absolute-paths.ts";
import type { PreparedRun } from "../../../src/engine/session/prepare-run.ts";
import { machineFacts } from "../../../src/engine/session/machine-facts.ts";
import { prepareRun } from "../../../src/engine/session/prepare-run.ts";
import { loadRun, trainRun } from "../../../src/engine/session/train-run.ts";
import type { Metrics } from "../../../src/shared/protocol.ts";
import assert from "node:assert/strict";

export interface MeasuredRun {
  readonly prepared: PreparedRun;
  /** Bytes of the base weights as they are held. */
  readonly base: { readonly quantized: number; readonly plain: number };
  /** Seconds of each step, the first ones with compilation among them. */
  readonly steps: readonly number[];
  /** Seconds of processor time from one step's end to the next, of all threads; the first from the start. */
  readonly processor: readonly number[];
  /** Resident memory after each step. */
  readonly memory: readonly number[];
  readonly peakBytes: number;
  readonly estimatedBytes: number;
  /** Seconds from the start to the end of the first step. */
  readonly firstStep: number;
  /** What was last measured on `data.eval`; empty without such data. */
  readonly metrics: Metrics;
}

/** An experiment given as YAML, checked against its model and data. */
export async function prepared(yaml: string): Promise<PreparedRun> {
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-run-"));
  try {
    const file = join(folder, "bench.peft.yaml");
    writeFileSync(file, yaml);
    return await prepareFile(file, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepareFile(file: string, folder: string): Promise<PreparedRun> {
  const { experiment, findings } = await readExperimentFile(file, [], folder);
  assert(experiment, findings.map(({ message }) => message).join(" "));
  return await prepareRun(
    withAbsolutePaths(experiment, folder, () => true),
    { emit: () => undefined, facts: machineFacts(), now: new Date() },
  );
}

/** Runs an experiment given as YAML; nothing is saved or exported that stays. `onStep` is called after each step. */
export async function measuredRun(
  yaml: string,
  onStep: () => void = () => undefined,
): Promise<MeasuredRun> {
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-run-"));
  try {
    const file = join(folder, "bench.peft.yaml");
    writeFileSync(file, yaml);
    mkdirSync(join(folder, "run"));
    const started = performance.now();
    const prepared = await prepareFile(file, folder);
    const steps: number[] = [];
    const memory: number[] = [];
    const processor: number[] = [];
    let used = process.cpuUsage();
    let firstStep = 0;
    let metrics: Metrics = {};
    const nothing = (): void => undefined;
    const loaded = await loadRun(prepared, nothing, nothing);
    await trainRun(loaded, {
      runFolder: join(folder, "run"),
      checkpoint: undefined,
      emit(event) {
        if (event.type === "eval") ({ metrics } = event);
        if (event.type !== "step") return;
        if (steps.length === 0) firstStep = (performance.now() - started) / 1000;
        steps.push(event.seconds);
        const { user, system } = process.cpuUsage(used);
        processor.push((user + system) / 1e6);
        memory.push(event.memoryBytes);
        onStep();
        used = process.cpuUsage();
      },
      approve: () => Promise.resolve(),
      requested: () => undefined,
    });
    return {
      prepared,
      base: loaded.base.bytes,
      steps,
      processor,
      memory,
      firstStep,
      metrics,
      peakBytes: resourceUsage().maxRSS * 1024,
      estimatedBytes: prepared.plan.peakMemoryBytes,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
