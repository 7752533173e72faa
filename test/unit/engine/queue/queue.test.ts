/** @file The queue: order, cancelling, what a dead process leaves, one process for each device. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createExecute } from "../../../../src/engine/queue/execute-entry.ts";
import type { DrainOptions, Execute } from "../../../../src/engine/queue/drain.ts";
import { drainQueue } from "../../../../src/engine/queue/drain.ts";
import { newEntry } from "../../../../src/engine/queue/queue-entry.ts";
import {
  addEntry,
  cancelEntry,
  listEntries,
  moveEntry,
  queueFolder,
  saveEntry,
} from "../../../../src/engine/queue/queue-folder.ts";
import { acquireRun, systemClock } from "../../../../src/engine/runs/ownership.ts";
import { listSweeps } from "../../../../src/engine/sweeps/sweep-folder.ts";
import { UserError } from "../../../../src/shared/errors.ts";
import { smallCatalog } from "../../shared/experiment/small-catalog.ts";
import { scratch } from "../runs/scratch.ts";
import { pretendEngine, refuse } from "../sweeps/pretend-engine.ts";
import { documentWith } from "../sweeps/read-document.ts";

const entry = (name: string, device = "cpu", document = documentWith(undefined)) => ({
  name,
  file: `/work/${name}.peft.yaml`,
  folder: "/work",
  device,
  document,
  added: 1_770_127_509_123,
});

function drain(spectuneFolder: string, execute: Execute, changes: Partial<DrainOptions> = {}) {
  const told: string[] = [];
  const result = drainQueue({
    spectuneFolder,
    device: undefined,
    execute,
    clock: systemClock,
    signal: new AbortController().signal,
    onEntry: (_id, { name }, change) => told.push(`${name} ${change}`),
    ...changes,
  });
  return { told, result };
}

const states = async (spectuneFolder: string) =>
  (await listEntries(spectuneFolder)).map(({ state, entry: own }) => [
    own?.name,
    state,
    own?.outcome,
  ]);

const isUserError = (code: string) => (error: unknown) =>
  error instanceof UserError && error.code === code;

describe("the queue", () => {
  it("keeps the order in which entries were added, of the same moment too", async (t) => {
    const folder = scratch(t);
    for (let index = 0; index < 12; index += 1)
      await addEntry(folder, { ...entry("a"), added: index });
    await addEntry(folder, { ...entry("a"), added: 5 });
    const done: number[] = [];
    await drain(folder, ({ added }) => {
      done.push(added);
      return Promise.resolve("finished");
    }).result;
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("goes on behind an entry that fails, and keeps why", async (t) => {
    const folder = scratch(t);
    for (const name of ["a", "b", "c"])
      await addEntry(folder, { ...entry(name), added: name.charCodeAt(0) });
    const { told, result } = drain(folder, ({ name }) =>
      name === "b" ? refuse("diverged") : Promise.resolve("finished"),
    );
    assert.deepEqual(await result, { finished: 2, failed: 1, cancelled: 0, stopped: 0, busy: [] });
    assert.deepEqual(told, [
      "a begins",
      "a finished",
      "b begins",
      "b failed",
      "c begins",
      "c finished",
    ]);
    const [, b] = await listEntries(folder);
    assert.deepEqual(
      [b?.state, b?.entry?.outcome, b?.entry?.error?.code],
      ["ended", "failed", "diverged"],
    );
  });

  it("lets a waiting entry be cancelled, and not one that has ended", async (t) => {
    const folder = scratch(t);
    const id = await addEntry(folder, entry("a"));
    await assert.rejects(cancelEntry(folder, "other"), isUserError("unknown-entry"));
    assert.deepEqual(await cancelEntry(folder, "a"), { id, was: "waiting" });
    assert.deepEqual(await states(folder), [["a", "ended", "cancelled"]]);
    await assert.rejects(cancelEntry(folder, id), isUserError("entry-ended"));
    const { told, result } = drain(folder, () => assert.fail("nothing is to be run"));
    await result;
    assert.deepEqual(told, []);
  });

  it("stops a running entry that is cancelled, and goes on with the next", async (t) => {
    const folder = scratch(t);
    for (const name of ["a", "b"])
      await addEntry(folder, { ...entry(name), added: name.charCodeAt(0) });
    const { told, result } = drain(folder, async ({ name }, _begun, signal) => {
      if (name === "b") return "finished";
      assert.equal((await cancelEntry(folder, "-a")).was, "running");
      assert.equal((await listEntries(folder))[0]?.cancelling, true);
      await new Promise((done) => {
        signal.addEventListener("abort", done);
      });
      return "stopped";
    });
    await result;
    assert.deepEqual(told, ["a begins", "a cancelled", "b begins", "b finished"]);
    assert.deepEqual(await states(folder), [
      ["a", "ended", "cancelled"],
      ["b", "ended", "finished"],
    ]);
    assert.deepEqual(readdirSync(join(queueFolder(folder), "cancel")), []);
  });

  it("goes on with what a process that died left, and with what was stopped; a cancelled one ends", async (t) => {
    const folder = scratch(t);
    const ids = [];
    for (const name of ["a", "b", "c"])
      ids.push(await addEntry(folder, { ...entry(name), added: name.charCodeAt(0) }));
    for (const id of ids.slice(0, 2)) await moveEntry(folder, id, "waiting", "running");
    await cancelEntry(folder, ids[1] ?? "");
    const abort = new AbortController();
    const first = drain(
      folder,
      () => {
        abort.abort();
        return Promise.resolve("stopped");
      },
      { signal: abort.signal },
    );
    assert.equal((await first.result).finished, 0);
    assert.deepEqual(first.told, ["a goes on", "a stopped"]);
    const second = drain(folder, () => Promise.resolve("finished"));
    await second.result;
    assert.deepEqual(second.told, [
      "a goes on",
      "a finished",
      "b goes on",
      "b cancelled",
      "c begins",
      "c finished",
    ]);
  });

  it("leaves a device alone that another process serves", async (t) => {
    const folder = scratch(t);
    await addEntry(folder, { ...entry("a", "cuda"), added: 1 });
    await addEntry(folder, { ...entry("b", "cpu"), added: 2 });
    const other = await acquireRun(join(queueFolder(folder), "devices", "cuda"));
    const { told, result } = drain(folder, () => Promise.resolve("finished"));
    assert.deepEqual((await result).busy, ["cuda"]);
    assert.deepEqual(told, ["b begins", "b finished"]);
    await other.release("finished");
    const one = drain(folder, () => Promise.resolve("finished"), { device: "cpu" });
    await one.result;
    assert.deepEqual(one.told, []);
    const rest = drain(folder, () => Promise.resolve("finished"));
    await rest.result;
    assert.deepEqual(rest.told, ["a begins", "a finished"]);
  });

  it("passes over a damaged entry", async (t) => {
    const folder = scratch(t);
    const id = await addEntry(folder, entry("a"));
    const file = join(queueFolder(folder), "waiting", `${id}.json`);
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 50));
    const { told, result } = drain(folder, () => assert.fail("nothing is to be run"));
    await result;
    assert.deepEqual(told, []);
    assert.equal((await listEntries(folder))[0]?.entry, undefined);
  });
});

describe("an entry", () => {
  const executor = (t: TestContext, runner = pretendEngine()) => {
    const spectuneFolder = scratch(t);
    const options = {
      spectuneFolder,
      catalog: smallCatalog,
      runner,
      clock: systemClock,
      onRecord: () => undefined,
    };
    return { spectuneFolder, execute: createExecute(options) };
  };

  it("is run as it was when it was added, and notes its run", async (t) => {
    const { spectuneFolder, execute } = executor(t);
    await addEntry(spectuneFolder, entry("a"));
    assert.equal((await drain(spectuneFolder, execute).result).finished, 1);
    const [listed] = await listEntries(spectuneFolder);
    const runs = readdirSync(join(spectuneFolder, "runs"));
    assert.deepEqual([listed?.entry?.run], runs);
    assert.equal(listed?.entry?.sweep, undefined);
  });

  it("with a sweep is run by the sweep runner; failed runs make it fail", async (t) => {
    const runner = pretendEngine({
      during: ({ label }) => (label === "r=4" ? refuse("diverged") : undefined),
    });
    const { spectuneFolder, execute } = executor(t, runner);
    await addEntry(
      spectuneFolder,
      entry("a", "cpu", documentWith("{ grid: { method.r: [2, 4, 8] } }")),
    );
    assert.equal((await drain(spectuneFolder, execute).result).failed, 1);
    const [listed] = await listEntries(spectuneFolder);
    assert.deepEqual([listed?.entry?.sweep], await listSweeps(spectuneFolder));
    assert.match(listed?.entry?.error?.message ?? "", /1 of the sweep's 3 runs/);
  });

  it("that was killed behind its run's end is not run again", async (t) => {
    const { spectuneFolder, execute } = executor(t);
    const id = await addEntry(spectuneFolder, entry("a"));
    await drain(spectuneFolder, execute).result;
    const run = (await listEntries(spectuneFolder))[0]?.entry?.run;
    assert.ok(run !== undefined);
    await moveEntry(spectuneFolder, id, "ended", "running");
    await saveEntry(spectuneFolder, id, "running", { ...newEntry(entry("a")), run });
    const again = drain(spectuneFolder, execute);
    await again.result;
    assert.deepEqual(again.told, ["a goes on", "a finished"]);
    assert.equal(readdirSync(join(spectuneFolder, "runs")).length, 1);
  });
});
