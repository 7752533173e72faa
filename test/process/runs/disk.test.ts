/** @file A full disk and a folder that cannot be written: a clear refusal, nothing half-written, and a run that goes on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { newestAttempt } from "../../../src/engine/runs/alive-record.ts";
import { writeFileAtomic, writeFolderAtomic } from "../../../src/engine/runs/atomic.ts";
import {
  checkpointsFolder,
  resumeCheckpoint,
  saveCheckpoint,
} from "../../../src/engine/runs/checkpoints.ts";
import { loadEvents, openEventsLog } from "../../../src/engine/runs/events-log.ts";
import { acquireRun } from "../../../src/engine/runs/ownership.ts";
import { writeRequest } from "../../../src/engine/runs/requests.ts";
import { createRun, listRuns } from "../../../src/engine/runs/run-folder.ts";
import { openTensorboard } from "../../../src/engine/runs/tensorboard.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";

const linux = process.platform === "linux";
const root = process.getuid?.() === 0;

/** A file system of its own in memory; `undefined` where this user may not mount one. */
function mount(t: TestContext, size: string): string | undefined {
  if (!linux || !root) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "spectune-disk-"));
  const options = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder];
  if (spawnSync("mount", options).status !== 0) {
    rmdirSync(folder);
    return undefined;
  }
  t.after(() => {
    spawnSync("umount", ["-l", folder]);
    rmdirSync(folder);
  });
  return folder;
}

const full = { name: "UserError", code: "no-space-left", remedy: /^Free some space/ };
const line = { type: "log", level: "info", message: "x".repeat(1000) } as const;
const options = { attempt: 1, now: () => 0, check: () => undefined };

function save(folder: string, step: number, write: (path: string) => Promise<void>) {
  const beforeRename = () => Promise.resolve();
  return saveCheckpoint(folder, { step, bytes: 0, state: { step }, write, beforeRename });
}

describe("a full disk", () => {
  it("leaves the checkpoints and events that are there, and the run goes on", async (t) => {
    const folder = mount(t, "24m");
    if (folder === undefined) {
      t.skip("no right to mount; the tests with /dev/full stand in");
      return;
    }
    const ownership = await acquireRun(folder);
    const log = openEventsLog(folder, { ...ownership, now: () => 0 });
    log.append(line);
    await save(folder, 1, (path) => writeFile(join(path, "a"), Buffer.alloc(1e6)));

    const large = save(folder, 2, (path) => writeFile(join(path, "a"), Buffer.alloc(40e6)));
    await assert.rejects(large, full);
    assert.deepEqual(readdirSync(checkpointsFolder(folder)), ["step-1"]);

    writeFileSync(join(folder, "filler"), "");
    assert.throws(() => writeFileSync(join(folder, "filler"), Buffer.alloc(40e6)), /ENOSPC/);
    await assert.rejects(
      save(folder, 3, () => Promise.resolve()),
      full,
    );
    await assert.rejects(writeFileAtomic(join(folder, "a"), Buffer.alloc(1e6)), full);
    assert.equal(readdirSync(folder).includes("a"), false);
    let appended = 1;
    assert.throws(() => {
      for (; ; appended += 1) log.append(line);
    }, full);
    const { value, findings } = await loadEvents(folder);
    assert.deepEqual([value.length, findings], [appended, []]);
    // The disk is full and the heart beats.
    await ownership.beat();
    assert.equal((await newestAttempt(folder))?.record?.beat, 1);

    rmSync(join(folder, "filler"));
    log.append(line);
    assert.equal((await loadEvents(folder)).value.length, appended + 1);
    assert.equal((await resumeCheckpoint(folder, 0)).value?.step, 1);
    await log.close();
    await ownership.release("stopped");
  });

  it("is named when it fills up while a checkpoint is written", { skip: !linux }, async (t) => {
    const folder = scratch(t);
    await save(folder, 1, (path) => writeFile(join(path, "a"), "a"));
    const onto = async (path: string) => {
      symlinkSync("/dev/full", join(path, "a"));
      await writeFile(join(path, "a"), "a");
    };
    await assert.rejects(save(folder, 2, onto), full);
    await assert.rejects(writeFolderAtomic(join(folder, "adapter"), onto), full);
    assert.deepEqual(readdirSync(folder), ["checkpoints"]);
    assert.deepEqual(readdirSync(checkpointsFolder(folder)), ["step-1"]);
  });
});

/** A folder with a run in it that can be read and not written, and the code of the refusal. */
async function readOnlyRun(t: TestContext) {
  const mounted = mount(t, "8m");
  const spectune = mounted ?? scratch(t);
  const run = await createRun(spectune, { name: "a", time: 0, experiment: "" });
  const ownership = await acquireRun(run);
  await ownership.release("stopped");
  const log = openEventsLog(run, options);
  log.append(line);
  await log.close();
  if (mounted !== undefined) {
    assert.equal(spawnSync("mount", ["-o", "remount,ro", mounted]).status, 0);
    return { spectune, run, code: "read-only-folder", restore: () => undefined };
  }
  const folders = [spectune, join(spectune, "runs"), run, join(run, "attempts")];
  folders.forEach((folder) => chmodSync(folder, 0o555));
  chmodSync(join(run, "events.ndjson"), 0o444);
  // Root in a container that may not mount: rights bind everybody else.
  if (root) process.seteuid?.(65534);
  const restore = () => {
    if (root) process.seteuid?.(0);
    folders.forEach((folder) => chmodSync(folder, 0o755));
  };
  return { spectune, run, code: "no-permission", restore };
}

describe("a folder that cannot be written", { skip: process.platform === "win32" }, () => {
  it("is refused by each writer and read by each reader", async (t) => {
    const { spectune, run, code, restore } = await readOnlyRun(t);
    const refusal = { name: "UserError", code, remedy: /./ };
    const writers = {
      createRun: () => createRun(spectune, { name: "b", time: 0, experiment: "" }),
      acquireRun: () => acquireRun(run),
      events: () => Promise.resolve().then(() => openEventsLog(run, options)),
      tensorboard: () =>
        openTensorboard(join(run, "tensorboard"), { host: "h", attempt: 1, time: 0 }),
      checkpoint: () => save(run, 1, () => Promise.resolve()),
      request: () => writeRequest(run, "stop", 1),
      file: () => writeFileAtomic(join(run, "report.html"), ""),
      folder: () => writeFolderAtomic(join(run, "adapter"), () => Promise.resolve()),
    };
    try {
      for (const [name, write] of Object.entries(writers))
        await assert.rejects(write(), refusal, name);
      const [listed] = await listRuns(spectune, 0);
      assert.deepEqual([listed?.status.state, listed?.status.attempt], ["stopped", 1]);
      assert.equal((await loadEvents(run)).value.length, 1);
      const names = ["attempts", "events.ndjson", "experiment.yaml"];
      assert.deepEqual(readdirSync(run).toSorted(), names);
    } finally {
      restore();
    }
  });
});
