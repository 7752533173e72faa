/** @file Sweeps to their end: order, failures, tuning, what must match, stopping and going on. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { loadRunsOf } from "../../../../src/engine/sweeps/load-runs.ts";
import { systemClock } from "../../../../src/engine/runs/ownership.ts";
import { runsFolder } from "../../../../src/engine/runs/run-folder.ts";
import { runSweep } from "../../../../src/engine/sweeps/run-sweep.ts";
import type { SweepOptions } from "../../../../src/engine/sweeps/run-sweep.ts";
import type { RunTask, Runner } from "../../../../src/engine/sweeps/runner.ts";
import { findSweep, loadRecord } from "../../../../src/engine/sweeps/sweep-folder.ts";
import { UserError } from "../../../../src/shared/errors.ts";
import { smallCatalog } from "../../shared/experiment/small-catalog.ts";
import { scratch } from "../runs/scratch.ts";
import { pretendEngine, refuse } from "./pretend-engine.ts";
import { readSweep } from "./read-document.ts";

interface Setting {
  readonly runner: Runner;
  readonly signal?: AbortSignal;
}

function options(
  { runner, signal = new AbortController().signal }: Setting,
  sweep: SweepOptions["sweep"],
): SweepOptions {
  return {
    sweep,
    catalog: smallCatalog,
    runner,
    clock: systemClock,
    signal,
    onFolder: () => undefined,
    onRecord: () => undefined,
  };
}

function begin(t: TestContext, sweep: string, setting: Setting) {
  const spectuneFolder = join(scratch(t), ".spectune");
  const started = { spectuneFolder, name: "a", folder: "/work", normalised: readSweep(sweep) };
  return { spectuneFolder, result: runSweep(options(setting, started)) };
}

/** An engine that notes what it is given. */
function noting(notes: string[], during?: (task: RunTask) => void): Runner {
  return pretendEngine({
    during: (task) => {
      const { method, train } = task.experiment;
      const { r, alpha } = method[0]?.config ?? {};
      notes.push(
        `${task.label}: r ${String(r)} alpha ${String(alpha)} lr ${train.learning_rate} seed ${train.seed}${task.resume === undefined ? "" : " again"}`,
      );
      during?.(task);
    },
  });
}

const isUserError = (code: string) => (error: unknown) =>
  error instanceof UserError && error.code === code;

describe("a sweep", () => {
  it("runs its points with the first seed, then with the second; expressions follow the point", async (t) => {
    const notes: string[] = [];
    const { result } = begin(t, "{ grid: { method.r: [4, 8] }, seeds: [0, 1] }", {
      runner: noting(notes),
    });
    const { status, record, sweepDir } = await result;
    assert.equal(status, "finished");
    assert.deepEqual(notes, [
      "r=4 seed=0: r 4 alpha 8 lr 0.001 seed 0",
      "r=8 seed=0: r 8 alpha 16 lr 0.001 seed 0",
      "r=4 seed=1: r 4 alpha 8 lr 0.001 seed 1",
      "r=8 seed=1: r 8 alpha 16 lr 0.001 seed 1",
    ]);
    assert.deepEqual(
      record.runs.map(({ state, metrics }) => [state, metrics]),
      [
        ["finished", { "eval.loss": 0 }],
        ["finished", { "eval.loss": 0 }],
        ["finished", { "eval.loss": 0.001 }],
        ["finished", { "eval.loss": 0.001 }],
      ],
    );
    assert.deepEqual(await loadRecord(sweepDir), record);
  });

  it("goes on after a failure and keeps why", async (t) => {
    const runner = pretendEngine({
      during: ({ label }) => (label === "r=4" ? refuse("diverged") : undefined),
    });
    const { record, status } = await begin(t, "{ grid: { method.r: [2, 4, 8] } }", { runner })
      .result;
    assert.equal(status, "finished");
    assert.deepEqual(
      record.runs.map(({ state }) => state),
      ["finished", "failed", "finished"],
    );
    assert.deepEqual(record.runs[1]?.error, { code: "diverged", message: "refused: diverged" });
  });

  it("ends at a failure where limits say so; the failed run can be tried again", async (t) => {
    let fails = true;
    const notes: string[] = [];
    const runner = noting(notes, ({ label }) =>
      fails && label === "r=4" ? refuse("no-space-left") : undefined,
    );
    const sweep = "{ grid: { method.r: [2, 4, 8] }, limits: { on_failure: stop } }";
    const first = await begin(t, sweep, { runner }).result;
    assert.equal(first.status, "failed");
    assert.deepEqual(
      first.record.runs.map(({ state }) => state),
      ["finished", "failed", "waiting"],
    );
    fails = false;
    const kept = await runSweep(
      options({ runner }, { sweepFolder: first.sweepDir, failed: "keep" }),
    );
    assert.deepEqual(
      kept.record.runs.map(({ state }) => state),
      ["finished", "failed", "finished"],
    );
    const retried = await runSweep(
      options({ runner }, { sweepFolder: first.sweepDir, failed: "retry" }),
    );
    assert.deepEqual(
      retried.record.runs.map(({ state, error }) => [state, error]),
      [
        ["finished", undefined],
        ["finished", undefined],
        ["finished", undefined],
      ],
    );
    assert.deepEqual(
      notes.map((note) => note.split(":")[0]),
      ["r=2", "r=4", "r=8", "r=4"],
    );
  });

  it("stops with its run, and goes on with that run's folder", async (t) => {
    const abort = new AbortController();
    const notes: string[] = [];
    const runner = noting(notes, ({ label }) => {
      if (label === "r=4") abort.abort();
    });
    const { result } = begin(t, "{ grid: { method.r: [2, 4, 8] } }", {
      runner,
      signal: abort.signal,
    });
    const stopped = await result;
    assert.equal(stopped.status, "stopped");
    assert.deepEqual(
      stopped.record.runs.map(({ state }) => state),
      ["finished", "stopped", "waiting"],
    );
    const resumed = await runSweep(
      options({ runner: noting(notes) }, { sweepFolder: stopped.sweepDir, failed: "keep" }),
    );
    assert.equal(resumed.status, "finished");
    assert.equal(resumed.record.runs[1]?.run, stopped.record.runs[1]?.run);
    assert.deepEqual(
      notes.map((note) => [note.split(":")[0], note.endsWith("again")]),
      [
        ["r=2", false],
        ["r=4", false],
        ["r=4", true],
        ["r=8", false],
      ],
    );
  });

  it("is not run by two processes, and not with another document", async (t) => {
    const notes: string[] = [];
    const spectuneFolder = join(scratch(t), ".spectune");
    const contender = pretendEngine({
      during: async () => {
        const [only] = [await findSweep("a", spectuneFolder, "/")];
        assert.ok(only !== undefined);
        await assert.rejects(
          runSweep(options({ runner: noting(notes) }, { sweepFolder: only, failed: "keep" })),
          isUserError("run-in-use"),
        );
      },
    });
    const started = {
      spectuneFolder,
      name: "a",
      folder: "/work",
      normalised: readSweep("{ grid: { method.r: [2] } }"),
    };
    const { sweepDir } = await runSweep(options({ runner: contender }, started));
    assert.deepEqual(notes, []);
    const file = join(sweepDir, "sweep.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("[2]", "[2, 4]"));
    await assert.rejects(
      runSweep(options({ runner: contender }, { sweepFolder: sweepDir, failed: "keep" })),
      isUserError("sweep-changed"),
    );
  });
});

describe("tuning", () => {
  const sweep =
    "{ grid: { method.r: [4, 8] }, tune: { train.learning_rate: { times: [0.5, 1, 2] }, select: { metric: eval.loss, seed: 100 } }, seeds: [0] }";

  it("comes first, with a seed of its own; the main runs have what it chose", async (t) => {
    const notes: string[] = [];
    const best: Readonly<Record<number, number>> = { 4: 0.002, 8: 0.001 };
    const engine = pretendEngine({
      during: ({ label, experiment: { train } }) =>
        void notes.push(`${label}: ${train.learning_rate} ${train.seed}`),
      loss: ({ method, train }) =>
        Math.abs(train.learning_rate - (best[Number(method[0]?.config["r"])] ?? 0)),
    });
    const { record, sweepDir } = await begin(t, sweep, { runner: engine }).result;
    assert.deepEqual(notes, [
      "r=4 tune learning_rate=5.0e-4: 0.0005 100",
      "r=4 tune learning_rate=0.001: 0.001 100",
      "r=4 tune learning_rate=0.002: 0.002 100",
      "r=8 tune learning_rate=5.0e-4: 0.0005 100",
      "r=8 tune learning_rate=0.001: 0.001 100",
      "r=8 tune learning_rate=0.002: 0.002 100",
      "r=4: 0.002 0",
      "r=8: 0.001 0",
    ]);
    assert.deepEqual(
      record.points.map(({ chosen }) => chosen),
      [
        { run: 2, overrides: { "train.learning_rate": 0.002 }, value: 0, tried: 3 },
        { run: 4, overrides: { "train.learning_rate": 0.001 }, value: 0, tried: 3 },
      ],
    );
    // The tuning effort goes with the runs that it served, and only these are compared.
    const { value } = await loadRunsOf([{ sweep: sweepDir }], smallCatalog, 0);
    assert.deepEqual(
      value.map(({ seed, budget }) => [seed, budget.tuningRuns]),
      [
        [0, 3],
        [0, 3],
      ],
    );
  });

  it("passes over candidates that fail; without any left the point is skipped", async (t) => {
    const runner = pretendEngine({
      during: ({ label }) =>
        label.startsWith("r=4 tune") || label === "r=8 tune learning_rate=0.001"
          ? refuse("diverged")
          : undefined,
    });
    const { record } = await begin(t, sweep, { runner }).result;
    const [r4, r8] = record.points;
    assert.equal(r4?.chosen, undefined);
    assert.deepEqual(
      [r8?.chosen?.overrides["train.learning_rate"], r8?.chosen?.tried],
      [0.0005, 2],
    );
    assert.deepEqual(
      record.runs.slice(6).map(({ state, error }) => [state, error?.code]),
      [
        ["skipped", "tuning-failed"],
        ["finished", undefined],
      ],
    );
  });

  it("refuses candidates that are no values of the field before anything is written", async (t) => {
    const wrong = "{ tune: { train.optimizer: { values: [adamw, adamm] } } }";
    const { spectuneFolder, result } = begin(t, wrong, { runner: noting([]) });
    await assert.rejects(result, isUserError("unknown-variant"));
    assert.ok(!existsSync(spectuneFolder));
  });
});

describe("what must match", () => {
  const cases: readonly (readonly [string, string, RegExp | undefined])[] = [
    [
      "steps",
      "{ grid: { train.max_steps: [10, 20] }, match: { steps: equal } }",
      /equal steps: `max_steps=10` has 10, `max_steps=20` has 20/,
    ],
    ["tokens", "{ grid: { train.max_steps: [10, 20] }, match: { tokens: equal } }", undefined],
    [
      "parameters",
      "{ grid: { method.r: [4, 8] }, match: { trainable_parameters: equal } }",
      /`r=4` has 4, `r=8` has 8/,
    ],
    [
      "parameters across another field",
      "{ grid: { method.r: [4, 8], method.init: [default, pissa] }, match: { trainable_parameters: { across: method.init } } }",
      undefined,
    ],
    [
      "parameters across the field itself",
      "{ grid: { method.r: [4, 8], method.init: [default, pissa] }, match: { trainable_parameters: { across: method.r, tolerance: 99% } } }",
      /more than the 99 %/,
    ],
    [
      "parameters within a tolerance",
      "{ grid: { method.r: [4, 8] }, match: { trainable_parameters: { tolerance: 100% } } }",
      undefined,
    ],
  ];
  for (const [name, sweep, refused] of cases)
    it(`is asked of the plan before the first run: ${name}`, async (t) => {
      const { spectuneFolder, result } = begin(t, sweep, { runner: noting([]) });
      if (refused === undefined) {
        assert.equal((await result).status, "finished");
        return;
      }
      await assert.rejects(
        result,
        (error) => isUserError("sweep-unequal-budget")(error) && refused.test(String(error)),
      );
      assert.ok(!existsSync(runsFolder(spectuneFolder)));
    });
});
