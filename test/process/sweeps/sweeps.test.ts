/** @file Sweeps and queues whose processes are killed or race: every run is done once, and nothing is lost. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { addEntry, listEntries } from "../../../src/engine/queue/queue-folder.ts";
import { listRuns } from "../../../src/engine/runs/run-folder.ts";
import { listSweeps, loadRecord, sweepsFolder } from "../../../src/engine/sweeps/sweep-folder.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";
import { documentWith } from "../../unit/engine/sweeps/read-document.ts";
import { startChild } from "../runs/child.ts";

const script = (name: string) => join("..", "sweeps", name);

async function recordOf(folder: string) {
  const spectune = join(folder, ".spectune");
  const names = await listSweeps(spectune);
  assert.equal(names.length, 1);
  return await loadRecord(join(sweepsFolder(spectune), names[0] ?? ""));
}

describe("a sweep whose process is killed", () => {
  it("at any moment ends with the same runs, choices and numbers as one left alone", async (t) => {
    const [alone, killed] = [scratch(t), scratch(t)];
    assert.deepEqual(await startChild(t, script("sweeper.ts"), alone).end, { by: 0, errors: "" });
    let ends = 0;
    let kills = 0;
    for (; ends === 0; kills += 1) {
      assert.ok(kills < 60, "the sweep does not come to its end");
      const child = startChild(t, script("sweeper.ts"), killed);
      const first = await child.next();
      // Between the moment a run has its folder and the record of its end.
      await sleep((kills * 7) % 40);
      child.process.kill("SIGKILL");
      const { by, errors } = await child.end;
      assert.equal(errors, "");
      assert.ok(by === "SIGKILL" || by === 0);
      if (by === 0 || first === "finished") ends += 1;
    }
    const [left, right] = [await recordOf(alone), await recordOf(killed)];
    const facts = ({ runs, points }: typeof left) => [
      runs.map(({ label, state, metrics }) => [label, state, metrics]),
      points,
    ];
    assert.deepEqual(facts(right), facts(left));
    assert.equal(left.runs.length, 8);
    // A kill between a folder's making and its note in the record leaves a folder that no run has.
    const runs = await listRuns(join(killed, ".spectune"), Date.now());
    const noted = right.runs.map(({ run }) => run);
    assert.equal(
      runs.filter(({ id, status }) => noted.includes(id) && status.state === "finished").length,
      8,
    );
    t.diagnostic(`kills: ${kills - 1}, folders without a run: ${runs.length - 8}`);
    assert.ok(kills > 3);
  });
});

describe("two processes that drain one queue", () => {
  it("run every entry once, one process to a device; what a killed one left goes on", async (t) => {
    const spectune = join(scratch(t), ".spectune");
    const names = Array.from({ length: 10 }, (_, index) => `e${index}`);
    for (const [index, name] of names.entries())
      await addEntry(spectune, {
        name,
        file: name,
        folder: spectune,
        device: index % 2 === 0 ? "cpu" : "webgpu",
        document: documentWith(undefined),
        added: index,
      });
    const children = [1, 2].map(() => startChild(t, script("drainer.ts"), spectune));
    for (const child of children) assert.equal(await child.next(), "ready");
    for (const child of children) child.tell("go");
    const first = await Promise.race(
      children.map(async (child) => ({ child, line: await child.next() })),
    );
    assert.match(first.line ?? "", /begins$/);
    first.child.process.kill("SIGKILL");
    await first.child.end;
    for (const child of children) if (child !== first.child) await child.end;
    const last = startChild(t, script("drainer.ts"), spectune);
    last.tell("go");
    assert.deepEqual(await last.end, { by: 0, errors: "" });
    const entries = await listEntries(spectune);
    assert.deepEqual(
      entries.map(({ state, entry }) => [entry?.name, state, entry?.outcome]),
      names.map((name) => [name, "ended", "finished"]),
    );
    const finished = (await listRuns(spectune, Date.now())).filter(
      ({ status }) => status.state === "finished",
    );
    assert.equal(finished.length, names.length);
    assert.deepEqual(new Set(entries.map(({ entry }) => entry?.run)).size, names.length);
    assert.deepEqual(readdirSync(join(spectune, "queue", "devices")).toSorted(), ["cpu", "webgpu"]);
  });
});
