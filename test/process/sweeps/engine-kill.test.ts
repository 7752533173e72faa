/** @file Kills around the real engine: of a sweep's own process, and of the process of one of its runs. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newestAttempt } from "../../../src/engine/runs/alive-record.ts";
import { loadEvents } from "../../../src/engine/runs/events-log.ts";
import { listSweeps, loadRecord, sweepsFolder } from "../../../src/engine/sweeps/sweep-folder.ts";
import { foldRun } from "../../../src/shared/run-view.ts";
import { runsOf, spectune, startSpectune } from "../../support/command-line.ts";
import { makeWorkspace } from "../../support/workspace.ts";

const steps = 120;
const sweep = `extends: ./a.peft.yaml
train: { max_steps: ${steps} }
sweep: { grid: { method.r: [2, 4] } }
`;

function workspace(t: TestContext): string {
  const folder = makeWorkspace(t);
  writeFileSync(join(folder, "s.peft.yaml"), sweep);
  return folder;
}

/** The first run folder of the workspace, once the run has done some steps. */
async function firstRunning(folder: string): Promise<string> {
  for (;;) {
    await sleep(20);
    if (!existsSync(join(folder, ".spectune", "runs"))) continue;
    const [run] = runsOf(folder).filter((name) => !name.includes(".tmp-"));
    if (run === undefined) continue;
    const { value } = await loadEvents(run);
    if (foldRun(value).steps.length >= 10) return run;
  }
}

async function recordOf(folder: string) {
  const spectuneFolder = join(folder, ".spectune");
  const [name = ""] = await listSweeps(spectuneFolder);
  return { name, record: await loadRecord(join(sweepsFolder(spectuneFolder), name)) };
}

describe("a sweep whose process is killed in the middle of a run", () => {
  it("goes on with that run where its process stopped by itself", async (t) => {
    const folder = workspace(t);
    const started = startSpectune(t, folder, "run", "s.peft.yaml");
    const run = await firstRunning(folder);
    started.process.kill("SIGKILL");
    await started.end;
    const { name } = await recordOf(folder);
    const { code, err } = await spectune(folder, "run", "--resume", name);
    assert.equal(code, 0, err);
    const { record } = await recordOf(folder);
    assert.deepEqual(
      record.runs.map(({ state }) => state),
      ["finished", "finished"],
    );
    assert.equal(runsOf(folder).length, 2);
    const view = foldRun((await loadEvents(run)).value);
    assert.equal(view.attempt, 2);
    assert.ok((view.started?.resumedFrom ?? 0) >= 10);
    assert.deepEqual(
      view.steps.map(({ step }) => step),
      Array.from({ length: steps }, (_, index) => index + 1),
    );
  });
});

describe("a run of a sweep whose process is killed", () => {
  it("has failed with the reason, the sweep goes on, and a second try resumes it", async (t) => {
    const folder = workspace(t);
    const started = startSpectune(t, folder, "run", "s.peft.yaml");
    const pid = (await newestAttempt(await firstRunning(folder)))?.record?.pid;
    assert.ok(pid !== undefined && pid !== started.process.pid);
    process.kill(pid, "SIGKILL");
    const { code, err } = await started.end;
    assert.equal(code, 1, err);
    const { name, record } = await recordOf(folder);
    assert.deepEqual(
      record.runs.map(({ state, error }) => [state, error?.code]),
      [
        ["failed", "run-process-ended"],
        ["finished", undefined],
      ],
    );
    assert.match(record.runs[0]?.error?.message ?? "", /SIGKILL/);
    const again = await spectune(folder, "run", "--resume", name);
    assert.equal(again.code, 0, again.err);
    assert.equal((await recordOf(folder)).record.runs[0]?.state, "finished");
  });
});
