/** @file Training that is killed, interrupted or asked to stop ends with the bytes of training left alone. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  watch,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newestAttempt } from "../../src/engine/runs/alive-record.ts";
import { isTemporaryName } from "../../src/engine/runs/atomic.ts";
import { checkpointsFolder } from "../../src/engine/runs/checkpoints.ts";
import { eventsFile, loadEvents } from "../../src/engine/runs/events-log.ts";
import { runStatus } from "../../src/engine/runs/liveness.ts";
import { writeRequest } from "../../src/engine/runs/requests.ts";
import { invariant } from "../../src/shared/errors.ts";
import { assertSameEnd } from "../support/run-ends.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../support/command-line.ts";
import type { Process } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment, tinyRows } from "../support/workspace.ts";

/** Dropout and shuffling draw random numbers; checkpoints are frequent enough to be met by a kill. */
const experiment = tinyExperiment
  .replace("r: 4,", "r: 4, dropout: 0.1,")
  .replace("max_steps: 2", "max_steps: 160, warmup_steps: 5")
  .replace("every: end", "every: 20 steps")
  .concat("checkpoints: { every: 3 steps, keep: 2 }\n");

/** The one run of a workspace that has no other. */
function onlyRun(folder: string): string {
  const [run] = runsOf(folder);
  invariant(run, "there is no run folder");
  return run;
}

/** Resolves when the run's events have one more line with this text, or the process has ended. */
async function untilEvent(run: () => string | undefined, text: string, { process }: Process) {
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
async function aloneAndOther(t: TestContext): Promise<readonly [string, string]> {
  const folder = makeWorkspace(t, experiment);
  const alone = await spectune(folder, "run", "a.peft.yaml", "--json");
  assert.equal(alone.code, 0, alone.err);
  // The same paths, so that what names them has the same bytes; the other run has a later name.
  return [onlyRun(folder), folder];
}

function laterRun(folder: string, alone: string): string | undefined {
  return runsOf(folder).find((run) => run !== alone);
}

describe("training killed with SIGKILL", () => {
  it("20 times, half of them during a checkpoint, ends like training left alone", async (t) => {
    const [alone, folder] = await aloneAndOther(t);
    const other = (): string | undefined => laterRun(folder, alone);
    const first = startSpectune(t, folder, "run", "a.peft.yaml");
    await untilEvent(other, '"step"', first);
    first.process.kill("SIGKILL");
    await first.end;
    const run = other();
    invariant(run, "the first attempt made no run folder");
    let leftovers = 0;
    for (let kill = 1; kill < 20; kill += 1) {
      const attempt = startSpectune(t, folder, "run", "--resume", run);
      if (kill % 2 === 1) await killInCheckpoint(run, attempt);
      else {
        await untilEvent(() => run, kill % 8 === 0 ? '"started"' : '"checkpoint"', attempt);
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
    assert.ok(from.size > 12);
    t.diagnostic(`kills that fell into a checkpoint: ${leftovers}`);
    assert.ok(leftovers > 0);
  });
});

describe("training that is asked to stop", () => {
  it("finishes the step, saves, and goes on to the same end", async (t) => {
    const [alone, folder] = await aloneAndOther(t);
    const other = (): string | undefined => laterRun(folder, alone);
    const interrupted = startSpectune(t, folder, "run", "a.peft.yaml", "--json");
    await untilEvent(other, '"step"', interrupted);
    const run = other();
    invariant(run, "the first attempt made no run folder");
    interrupted.process.kill("SIGINT");
    const first = await interrupted.end;
    assert.equal(first.code, 0, first.err);
    const stopped = lastLine(first);
    assert.equal(stopped["status"], "stopped");
    const steps = Number(stopped["steps"]);
    assert.ok(steps > 0 && steps < 160, String(steps));
    assert.ok(existsSync(join(checkpointsFolder(run), `step-${steps}`)));
    assert.equal((await runStatus(run, Date.now())).state, "stopped");

    const asked = startSpectune(t, folder, "run", "--resume", run, "--json");
    await untilEvent(() => run, '"step"', asked);
    await writeRequest(run, "stop", 2);
    const second = await asked.end;
    assert.equal(second.code, 0, second.err);
    // It may have been at its last step when the request came.
    assert.match(String(lastLine(second)["status"]), /^(stopped|finished)$/);

    const resumed = await spectune(folder, "run", "--resume", run, "--json");
    assert.equal(resumed.code, 0, resumed.err);
    assert.equal(lastLine(resumed)["status"], "finished");
    await assertSameEnd(run, alone);
  });
});

describe("training with long steps", () => {
  it("beats at least once a second, refuses a second process, and stops through its folder", async (t) => {
    const folder = makeWorkspace(
      t,
      tinyExperiment
        .replace(
          "max_steps: 2, batch_size: 8",
          "max_steps: 1000, batch_size: 2048, micro_batch_size: 8",
        )
        .concat("checkpoints: { every: end }\n"),
    );
    writeFileSync(join(folder, "train.jsonl"), tinyRows(2048, 0));
    // Measured at the start, for a second or so.
    writeFileSync(join(folder, "eval.jsonl"), tinyRows(512, 4096));
    const long = startSpectune(t, folder, "run", "a.peft.yaml", "--json");
    const run = (): string | undefined =>
      existsSync(join(folder, ".spectune/runs"))
        ? runsOf(folder).find((path) => !isTemporaryName(basename(path)))
        : undefined;
    while (run() === undefined && long.process.exitCode === null) await sleep(5);
    const path = run();
    invariant(path, "there is no run folder");
    let before = await newestAttempt(path);
    while (before?.record === undefined) before = await newestAttempt(path);
    await untilEvent(run, '"step"', long);
    await sleep(3000);
    // Without the model nothing can be read: the live run is seen before.
    renameSync(join(folder, "model"), join(folder, "away"));
    const second = await spectune(folder, "run", "--resume", path);
    renameSync(join(folder, "away"), join(folder, "model"));
    assert.equal(second.code, 2, second.err);
    assert.match(second.err, /in use by process \d+.*\[run-in-use\]/);
    const after = await newestAttempt(path);
    invariant(after?.record, "the run shows no sign of life");
    // Over programs compiled, a measurement and steps: the main thread beats, whatever the engine's does. By the
    // writer's own clock and count, so that a slow machine does not matter.
    const seconds = (after.record.heartbeat - before.record.heartbeat) / 1000;
    const beats = after.record.beat - before.record.beat;
    assert.ok(beats >= seconds, `${beats} beats in ${seconds} s`);
    await writeRequest(path, "stop", 1);
    // It shows that it has heard before the step is done.
    let state = "running";
    while (state === "running") {
      await sleep(5);
      state = (await newestAttempt(path))?.record?.state ?? state;
    }
    assert.equal(state, "stopping");
    const stopped = await long.end;
    assert.equal(stopped.code, 0, stopped.err);
    assert.equal(lastLine(stopped)["status"], "stopped");
  });
});
