/** @file A run killed again and again ends with the steps and the checkpoints of one that was left alone. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isTemporaryName } from "../../../src/engine/runs/atomic.ts";
import { checkpointsFolder } from "../../../src/engine/runs/checkpoints.ts";
import { loadEvents } from "../../../src/engine/runs/events-log.ts";
import { runStatus } from "../../../src/engine/runs/liveness.ts";
import { writeRequest } from "../../../src/engine/runs/requests.ts";
import { foldRun } from "../../../src/shared/run-view.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";
import { startChild } from "./child.ts";

/** Every file below a folder, by name. */
function contents(folder: string): Readonly<Record<string, Buffer>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.toSorted().map((file) => [file.slice(folder.length), readFileSync(file)]),
  );
}

function leftoversIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).filter(isTemporaryName) : [];
}

async function stepsOf(folder: string) {
  const { value, findings } = await loadEvents(folder);
  assert.deepEqual(findings, []);
  return foldRun(value).steps.map(({ step, loss }) => [step, loss]);
}

async function runToEnd(t: TestContext, folder: string): Promise<void> {
  const { by, errors } = await startChild(t, "pretend-run.ts", folder).end;
  assert.deepEqual([by, errors], [0, ""]);
}

describe("a run killed with SIGKILL", () => {
  it("24 times, half of them during a checkpoint, ends like one left alone", async (t) => {
    const [alone, killed] = [scratch(t), scratch(t)];
    await runToEnd(t, alone);
    let leftovers = 0;
    for (let kill = 0; kill < 24; kill += 1) {
      const child = startChild(t, "pretend-run.ts", killed);
      const moment = kill % 2 === 0 ? "started" : "saving";
      await child.says(moment);
      // Spread over the 30 ms that a checkpoint and the steps to the next one take.
      await sleep((kill * 7) % 30);
      child.process.kill("SIGKILL");
      const { by, errors } = await child.end;
      assert.deepEqual([by, errors], ["SIGKILL", ""]);
      leftovers += leftoversIn(checkpointsFolder(killed)).length;
      assert.equal((await runStatus(killed, Date.now())).state, "crashed");
    }
    await runToEnd(t, killed);
    assert.equal((await runStatus(killed, Date.now())).state, "finished");
    assert.deepEqual(await stepsOf(killed), await stepsOf(alone));
    const [left, right] = [contents(checkpointsFolder(killed)), contents(checkpointsFolder(alone))];
    assert.deepEqual(Object.keys(left), Object.keys(right));
    assert.deepEqual(leftoversIn(checkpointsFolder(killed)), []);
    assert.deepEqual(left, right);
    t.diagnostic(`kills that fell into a checkpoint: ${leftovers}`);
    // Otherwise no kill came while a checkpoint was being written.
    assert.ok(leftovers > 0);
  });
});

describe("a run asked to stop through its folder", () => {
  it("saves, says so, and goes on to the same end", async (t) => {
    const [alone, stopped] = [scratch(t), scratch(t)];
    await runToEnd(t, alone);
    const child = startChild(t, "pretend-run.ts", stopped);
    await child.says("saving");
    await writeRequest(stopped, "stop", 1);
    assert.equal((await child.end).by, 0);
    assert.equal((await runStatus(stopped, Date.now())).state, "stopped");
    await runToEnd(t, stopped);
    assert.deepEqual(await stepsOf(stopped), await stepsOf(alone));
  });
});
