/** @file Training that is killed, interrupted or asked to stop ends with the bytes of training left alone. */
import assert from "node:assert/strict";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newestAttempt } from "../../src/engine/runs/alive-record.ts";
import { isTemporaryName } from "../../src/engine/runs/atomic.ts";
import { checkpointsFolder } from "../../src/engine/runs/checkpoints.ts";
import { runStatus } from "../../src/engine/runs/liveness.ts";
import { writeRequest } from "../../src/engine/runs/requests.ts";
import { invariant } from "../../src/shared/errors.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../support/command-line.ts";
import { assertSameEnd } from "../support/run-ends.ts";
import { makeWorkspace, tinyExperiment, tinyRows } from "../support/workspace.ts";
import { aloneAndOther, killedTraining, laterRun, untilEvent } from "./interrupted-training.ts";

describe("training killed with SIGKILL", () => {
  it("8 times, half of them during a checkpoint, ends like training left alone", (t) =>
    killedTraining(t, 8));
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
    assert.ok(steps > 0 && steps < 100, String(steps));
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
