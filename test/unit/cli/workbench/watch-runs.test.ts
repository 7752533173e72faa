/** @file Runs that grow on the disk are told as they grow: heads, steps, a resumed attempt, an end, a deletion. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { watchRuns } from "../../../../src/cli/workbench/watch-runs.ts";
import { createSweep, saveRecord } from "../../../../src/engine/sweeps/sweep-folder.ts";
import { newRecord, withRun } from "../../../../src/engine/sweeps/sweep-record.ts";
import { encodeEvent } from "../../../../src/shared/protocol-wire.ts";
import type { EventBody } from "../../../../src/shared/protocol.ts";
import type { RunHead } from "../../../../src/shared/run-head.ts";

const started: EventBody = {
  type: "started",
  run: "r",
  host: "h",
  pid: 1,
  platform: "p",
  versions: {},
  device: { requested: "auto", chosen: "cpu", reason: "r" },
  plan: { trainableParameters: 1, totalParameters: 1, peakMemoryBytes: 1, steps: 10 },
};

function step(count: number, loss: number): EventBody {
  const rest = { epoch: 0, lr: 1, tokens: 1, tokensPerSecond: 1, seconds: 1, memoryBytes: 1 };
  return { type: "step", step: count, loss, ...rest };
}

describe("watched runs", () => {
  const spectune = mkdtempSync(join(tmpdir(), "spectune-watch-"));
  const run = join(spectune, "runs", "20260101-000000-lora");
  const curves: { from: number; loss: readonly number[] }[] = [];
  const heads: RunHead[] = [];
  const gone: string[] = [];
  const watch = watchRuns(
    {
      heads: (changed) => heads.push(...changed),
      gone: (folders) => gone.push(...folders),
      curve: ({ chunk }) => curves.push({ from: chunk.from, loss: [...chunk.columns.loss] }),
      evaluations: () => undefined,
    },
    () => 0,
  );
  after(() => {
    watch.close();
    rmSync(spectune, { recursive: true, force: true });
  });
  const write = (attempt: number, ...events: readonly EventBody[]): void => {
    for (const event of events)
      appendFileSync(join(run, "events.ndjson"), encodeEvent({ attempt, time: 5, ...event }));
  };
  const look = () => watch.watch([spectune]);

  it("are read from the beginning, then as they grow", async () => {
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, "experiment.yaml"), "version: 1\n");
    write(1, started, step(1, 3), step(2, 2));
    const [head] = await look();
    assert.deepEqual([head?.name, head?.step, head?.steps, head?.loss], ["lora", 2, 10, 2]);
    const { curve } = await watch.follow(run);
    assert.deepEqual([...curve.columns.loss], [3, 2]);
    curves.length = 0;
    write(1, step(3, 1));
    await look();
    assert.deepEqual(curves, [{ from: 2, loss: [1] }]);
  });

  it("are told again when they turn out to be a sweep's", async () => {
    const identity = { name: "ranks", folder: spectune, created: 0 };
    const runs = [{ kind: "main", point: 0, label: "r=2", seed: 7, overrides: {} }] as const;
    const record = {
      ...newRecord(identity, { points: [], runs }),
      points: [{ label: "r=2", overrides: {}, control: false }],
    };
    const sweep = await createSweep(spectune, record, "version: 1\n");
    heads.splice(0);
    await look();
    assert.equal(heads.length, 0);
    await saveRecord(sweep, withRun(record, 0, { run: "20260101-000000-lora" }));
    await look();
    const place = { folder: sweep, name: "ranks", label: "r=2", seed: 7, kind: "main", runs: 1 };
    assert.deepEqual(
      heads.map((head) => head.sweep),
      [place],
    );
    const [head] = await look();
    assert.deepEqual([heads.length, head?.sweep], [1, place]);
  });

  it("lose the steps that a resumed attempt does again", async () => {
    curves.length = 0;
    write(2, { ...started, resumedFrom: 1 }, step(2, 9));
    await look();
    assert.deepEqual(curves, [{ from: 1, loss: [9] }]);
  });

  it("are told nothing of where nothing changed", async () => {
    heads.length = curves.length = 0;
    await look();
    assert.deepEqual([heads, curves], [[], []]);
  });

  it("are told to be gone", async () => {
    watch.unfollow(run);
    rmSync(run, { recursive: true });
    assert.deepEqual(await look(), []);
    assert.deepEqual(gone, [run]);
  });
});
