/** @file Training in processes that are killed or asked to stop, beside the same training left alone. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isTemporaryName } from "../../src/engine/runs/atomic.ts";
import { checkpointsFolder } from "../../src/engine/runs/checkpoints.ts";
import { eventsFile, loadEvents } from "../../src/engine/runs/events-log.ts";
import { runStatus } from "../../src/engine/runs/liveness.ts";
import { invariant } from "../../src/shared/errors.ts";
import type { Process } from "../support/command-line.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../support/command-line.ts";
import { assertSameEnd } from "../support/run-ends.ts";
import { makeWorkspace, tinyExperiment } from "../support/workspace.ts";

/** Kills a run so many times, half of them during a checkpoint; it must end like training left alone. */
export async function killedTraining(t: TestContext, kills: number): Promise<void> {
  const [alone, folder] = await aloneAndOther(t);
  const other = (): string | undefined => laterRun(folder, alone);
  const first = startSpectune(t, folder, "run", "a.peft.yaml");
  await untilEvent(other, '"step"', first);
  first.process.kill("SIGKILL");
  await first.end;
  const run = other();
  invariant(run, "the first attempt made no run folder");
  let leftovers = 0;
  for (let kill = 1; kill < kills; kill += 1) {
    const attempt = startSpectune(t, folder, "run", "--resume", run);
    if (kill % 2 === 1) await killInCheckpoint(run, attempt);
    else {
      await untilEvent(() => run, kill % 4 === 0 ? '"started"' : '"checkpoint"', attempt);
      await sleep(moment(kill) * 30);
      attempt.process.kill("SIGKILL");
    }
    const { code, err } = await attempt.end;
    assert.equal(code, "SIGKILL", err);
    assert.equal((await runStatus(run, Date.now())).state, "crashed");
    const checkpoints = checkpointsFolder(run);
    if (existsSync(checkpoints))
      leftovers += readdirSync(checkpoints).filter(isTemporaryName).length;
  }
  const resumed = await spectune(folder, "run", "--resume", run, "--json");
  assert.equal(resumed.code, 0, resumed.err);
  assert.equal(lastLine(resumed)["status"], "finished");
  await assertSameEnd(run, alone);
  const { value: events } = await loadEvents(run);
  const from = new Set(
    events.flatMap((event) => (event.type === "started" ? (event.resumedFrom ?? 0) : [])),
  );
  t.diagnostic(`resumed from steps ${[...from].join(", ")}`);
  assert.ok(from.size > kills / 2);
  t.diagnostic(`kills that fell into a checkpoint: ${leftovers}`);
  assert.ok(leftovers > 0);
}

/** Dropout and shuffling draw random numbers; checkpoints are frequent enough to be met by a kill. */
const experiment = tinyExperiment
  .replace("r: 4,", "r: 4, dropout: 0.1,")
  .replace("max_steps: 2", "max_steps: 100, warmup_steps: 5")
  .replace("every: end", "every: 20 steps")
  .concat("checkpoints: { every: 3 steps, keep: 2 }\n");

/** The one run of a workspace that has no other. */
function onlyRun(folder: string): string {
  const [run] = runsOf(folder);
  invariant(run, "there is no run folder");
  return run;
}

/** Resolves when the run's events have one more line with this text, or the process has ended. */
export async function untilEvent(
  run: () => string | undefined,
  text: string,
  { process }: Process,
) {
  const count = (): number => {
    const folder = run();
    const file = folder === undefined ? undefined : eventsFile(folder);
    return file === undefined || !existsSync(file)
      ? 0
      : readFileSync(file, "utf8").split(text).length - 1;
  };
  const before = count();
  while (process.exitCode === null && process.signalCode === null && count() === before)
    await sleep(5);
}

/** Kills when the attempt begins its second checkpoint; the watch sees the temporary name at once. */
async function killInCheckpoint(run: string, { process, end }: Process): Promise<void> {
  const folder = checkpointsFolder(run);
  mkdirSync(folder, { recursive: true });
  const begun = new Set<string>();
  const watcher = watch(folder, (_event, name) => {
    if (name === null || !isTemporaryName(name) || !existsSync(join(folder, name))) return;
    begun.add(name);
    if (begun.size === 2) process.kill("SIGKILL");
  });
  await end;
  watcher.close();
}

/** A repeatable number in [0, 1) for each kill. */
function moment(kill: number): number {
  return (kill * 0.6180339887) % 1;
}

/** The workspace with a run to its end, and the workspace for a run with interruptions. */
export async function aloneAndOther(t: TestContext): Promise<readonly [string, string]> {
  const folder = makeWorkspace(t, experiment);
  const alone = await spectune(folder, "run", "a.peft.yaml", "--json");
  assert.equal(alone.code, 0, alone.err);
  // The same paths, so that what names them has the same bytes; the other run has a later name.
  return [onlyRun(folder), folder];
}

export function laterRun(folder: string, alone: string): string | undefined {
  return runsOf(folder).find((run) => run !== alone);
}
