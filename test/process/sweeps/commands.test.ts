/** @file `run` of a sweep, `queue` and `compare` through the command line, with the real engine on a tiny model. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { isProblem, json, listOf, mapOf, object, real, text } from "../../../src/shared/wire.ts";
import type { Decoder } from "../../../src/shared/wire.ts";
import { lastLine, runsOf, spectune } from "../../support/command-line.ts";
import type { Outcome } from "../../support/command-line.ts";
import { makeWorkspace, tinyRows } from "../../support/workspace.ts";

const sweep = `extends: ./a.peft.yaml
data: { test: ./test.jsonl }
eval: { final: [{ exact_match: { max_new_tokens: 2 } }] }
sweep:
  grid: { method.r: [2, 4] }
  match: { tokens: equal, steps: equal }
  tune: { train.learning_rate: { times: [0.1, 1] }, select: { metric: eval.loss, seed: 9 } }
  seeds: [0, 1]
`;

function workspace(t: TestContext): string {
  const folder = makeWorkspace(t);
  writeFileSync(join(folder, "test.jsonl"), tinyRows(6, 100));
  writeFileSync(join(folder, "s.peft.yaml"), sweep);
  return folder;
}

function decoded<T>(decoder: Decoder<T>, outcome: Outcome): T {
  const value = decoder(lastLine(outcome), "");
  assert.ok(!isProblem(value), isProblem(value) ? value.problem : "");
  return value;
}

const sweepLine = object<{
  status: string;
  sweepDir: string;
  runs: readonly {
    kind: string;
    label: string;
    status: string;
    runDir: string;
    metrics: Readonly<Record<string, number>>;
  }[];
}>(
  {
    status: text,
    sweepDir: text,
    runs: listOf(
      object({ kind: text, label: text, status: text, runDir: text, metrics: mapOf(real) }, {}),
    ),
  },
  {},
);

const interval = object<{ low: number; high: number; over: string }>(
  { low: real, high: real, over: text },
  {},
);
interface Metric {
  readonly mean: number;
  readonly runs?: number;
  readonly interval?: { readonly low: number; readonly high: number; readonly over: string };
}
const metrics = mapOf(object<Metric>({ mean: real }, { runs: real, interval }));
const comparisonLine = object<{
  groups: readonly {
    label: string;
    metrics: Readonly<Record<string, Metric>>;
    differences: Readonly<Record<string, Metric>>;
    tuningRuns?: number;
    trainableParameters: number;
    tokens: number;
    steps: number;
  }[];
  config: unknown;
  findings: readonly { code: string }[];
}>(
  {
    groups: listOf(
      object(
        {
          label: text,
          metrics,
          differences: metrics,
          trainableParameters: real,
          tokens: real,
          steps: real,
        },
        { tuningRuns: real },
      ),
    ),
    config: json,
    findings: listOf(object({ code: text }, {})),
  },
  {},
);

describe("a sweep on the command line", () => {
  it("tunes, runs its seeds, and is compared with intervals and unequal budgets", async (t) => {
    const folder = workspace(t);
    const outcome = await spectune(folder, "run", "s.peft.yaml", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const { status, sweepDir, runs } = decoded(sweepLine, outcome);
    const name = basename(sweepDir);
    assert.equal(status, "finished");
    assert.deepEqual(
      runs.map((run) => [run.kind, run.label.replace(/learning_rate=.*/, "lr"), run.status]),
      [
        ["tune", "r=2 tune lr", "finished"],
        ["tune", "r=2 tune lr", "finished"],
        ["tune", "r=4 tune lr", "finished"],
        ["tune", "r=4 tune lr", "finished"],
        ["main", "r=2 seed=0", "finished"],
        ["main", "r=4 seed=0", "finished"],
        ["main", "r=2 seed=1", "finished"],
        ["main", "r=4 seed=1", "finished"],
      ],
    );
    assert.deepEqual(runs.map(({ runDir }) => runDir).toSorted(), runsOf(folder));
    const measured = runs.map(({ kind, metrics: own }) => [kind, "test.loss" in own]);
    assert.deepEqual(new Set(measured.map(String)), new Set(["tune,false", "main,true"]));
    const compared = decoded(comparisonLine, await spectune(folder, "compare", name, "--json"));
    assert.deepEqual(
      compared.groups.map(({ label, tuningRuns }) => [label, tuningRuns]),
      [
        ["r=2 alpha=4", 2],
        ["r=4 alpha=8", 2],
      ],
    );
    assert.deepEqual(
      compared.findings.map(({ code }) => code),
      ["unequal-parameters"],
    );
    const [first, second] = compared.groups;
    for (const metric of ["test.loss", "test.exact_match", "eval.loss"]) {
      assert.equal(first?.metrics[metric]?.runs, 2);
      assert.equal(second?.differences[metric]?.interval?.over, "seeds");
    }
    const table = await spectune(folder, "compare", name);
    assert.match(table.out, /^r=2 alpha=4 +2 [^]*difference to r=2 alpha=4 \(95 % over seeds\)/m);
    assert.match(table.out, /method\.r +2 +4/);
    assert.match(table.out, /unequal-parameters/);
  });

  it("shows of methods with other fields only what differs", async (t) => {
    const folder = workspace(t);
    for (const method of ["lora", "full"])
      assert.equal(
        (await spectune(folder, "run", "a.peft.yaml", "--set", `method=${method}`)).code,
        0,
      );
    const table = await spectune(folder, "compare", ...runsOf(folder));
    assert.match(table.out, /^method\.type +lora +full/m);
    assert.doesNotMatch(table.out, /^method\.(dropout|bias|r) /m);
  });

  it("is checked with all its points, without running", async (t) => {
    const folder = workspace(t);
    const valid = await spectune(folder, "check", "s.peft.yaml", "--json");
    assert.equal(valid.code, 0, valid.err);
    assert.match(valid.out, /"valid":true,"sweepRuns":8,/);
    const shown = await spectune(folder, "check", "s.peft.yaml");
    assert.match(shown.out, /s\.peft\.yaml is valid; its sweep has 8 runs\.$/m);
    for (const [grid, says] of [
      ["{ method.rr: [1, 2] }", /sweep-unknown-field[^]*method\.r/],
      ["{ method.init: [default, nonsense] }", /At the point `init=nonsense`/],
    ] as const) {
      const wrong = await spectune(folder, "check", "s.peft.yaml", "--set", `sweep.grid=${grid}`);
      assert.equal(wrong.code, 2);
      assert.match(wrong.out, says);
      assert.doesNotMatch(wrong.out, /same experiment/);
    }
  });

  it("that cannot match is refused before anything is written", async (t) => {
    const folder = workspace(t);
    const { code, err } = await spectune(
      folder,
      "run",
      "s.peft.yaml",
      "--set",
      "sweep.grid={ train.max_steps: [1, 2] }",
    );
    assert.equal(code, 2);
    assert.match(err, /sweep-unequal-budget/);
    assert.throws(() => runsOf(folder), /ENOENT/);
  });
});

describe("the queue on the command line", () => {
  it("runs what was added as it was added, in order; what is cancelled is not run", async (t) => {
    const folder = workspace(t);
    for (const rank of [2, 3]) {
      const added = await spectune(
        folder,
        "queue",
        "add",
        "a.peft.yaml",
        "--set",
        `method.r=${rank}`,
        "--json",
      );
      assert.equal(added.code, 0, added.err);
    }
    const third = await spectune(folder, "queue", "add", "a.peft.yaml", "--json");
    const { id } = decoded(object<{ id: string }>({ id: text }, {}), third);
    assert.equal((await spectune(folder, "queue", "cancel", id)).code, 0);
    // What an entry runs was settled when it was added.
    writeFileSync(join(folder, "a.peft.yaml"), "nothing of use");
    const run = await spectune(folder, "queue", "run");
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /2 finished, 0 failed, 0 cancelled/);
    assert.match(
      (await spectune(folder, "queue", "list")).out,
      /finished[^]*finished[^]*cancelled/,
    );
    const [one, two] = runsOf(folder);
    assert.ok(one !== undefined && two !== undefined);
    const compared = decoded(comparisonLine, await spectune(folder, "compare", one, two, "--json"));
    assert.deepEqual(
      compared.groups.map(({ label }) => label),
      ["r=2", "r=3"].map((label, index) => `${label} alpha=${[4, 6][index] ?? ""}`),
    );
  });

  it("refuses what is no experiment and what it does not know", async (t) => {
    const folder = workspace(t);
    const cases = [
      [["queue", "add", "none.peft.yaml"], "no-such-file"],
      [["queue", "add", "train.jsonl"], "invalid-experiment"],
      [["queue", "cancel", "x"], "unknown-entry"],
      [["queue", "lisst"], "Did you mean list"],
      [["compare", "x"], "unknown-run"],
      [["compare", "train.jsonl"], "unknown-run"],
    ] as const;
    for (const [args, said] of cases) {
      const { code, err } = await spectune(folder, ...args);
      assert.equal(code, 2, args.join(" "));
      assert.ok(err.includes(said), err);
    }
  });
});
