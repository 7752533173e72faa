/** @file Whole runs through the command line: what comes back, what is measured and kept. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readResults } from "../../src/engine/metrics/results-file.ts";
import { loadEvents } from "../../src/engine/runs/events-log.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, spectune } from "../support/command-line.ts";
import {
  makeWorkspace,
  tinyBert,
  tinyExperiment,
  tinyRows,
  writeTinyModel,
  writeWordTokenizer,
} from "../support/workspace.ts";

describe("a run of a causal model", () => {
  it("compares data.eval before and after, reads the test data once, and measures forgetting", async (t) => {
    const folder = makeWorkspace(
      t,
      `${tinyExperiment.replace("eval: { every: end }", "")}eval:
  every: end
  metrics: [loss, perplexity, { exact_match: { max_new_tokens: 4 } }]
  forgetting: { text: ./general.txt, tokens: 40 }
`.replace("eval: ./eval.jsonl", "eval: ./eval.jsonl, test: ./test.jsonl"),
    );
    writeFileSync(join(folder, "test.jsonl"), tinyRows(5, 100));
    writeFileSync(join(folder, "general.txt"), "The sun is up.\n\nThe moon is down.\nMore.\n");
    const outcome = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const line = lastLine(outcome);
    assert.deepEqual(Object.keys(line), [
      "status",
      "runDir",
      "steps",
      "trainLoss",
      "evalBefore",
      "evalAfter",
      "trainableParameters",
      "peakMemoryBytes",
      "tokensPerSecond",
    ]);
    const runFolder = String(line["runDir"]);
    // A run that has finished tells its result again, and reads nothing.
    const again = await spectune(folder, "run", "--resume", runFolder, "--json");
    assert.deepEqual(lastLine(again), line);
    assert.match(again.err, /has finished/u);
    const { value: events } = await loadEvents(runFolder);
    const measured = events.flatMap((event) => (event.type === "eval" ? [event] : []));
    assert.deepEqual(
      measured.map(({ split, moment, step }) => [split, moment, step]),
      [
        ["eval", "before", 0],
        ["general", "before", 0],
        ["eval", "after", 2],
        ["general", "after", 2],
        ["test", "after", 2],
      ],
    );
    const [before, , after, forgotten, test] = measured.map(({ metrics }) => metrics);
    for (const [name, metrics] of [
      ["evalBefore", before],
      ["evalAfter", after],
    ] as const) {
      const { loss, perplexity, exact_match: score } = metrics ?? {};
      assert.deepEqual(line[name], { loss, perplexity, score });
    }
    assert.ok((after?.["loss"] ?? NaN) < (before?.["loss"] ?? NaN));
    assert.notEqual(test?.["loss"], after?.["loss"]);
    const general = measured[1]?.metrics["loss"] ?? NaN;
    assert.equal(forgotten?.["forgetting"], (forgotten?.["loss"] ?? NaN) - general);
    assert.equal(measured.at(-1)?.examples, 5);

    const results = await readResults(join(runFolder, measured[2]?.results ?? ""));
    assert.equal(results.value.length, 12);
    const losses = results.value.map(({ targets }) => targets?.loss ?? NaN);
    const counts = results.value.map(({ targets }) => targets?.count ?? NaN);
    const sum = (values: readonly number[]): number => values.reduce((total, v) => total + v, 0);
    assert.equal(sum(losses) / sum(counts), after?.["loss"]);
    // Three letters and the end of the sequence.
    assert.deepEqual(new Set(counts), new Set([4]));
    assert.equal(results.value[0]?.completion?.expected, "Bob");
  });
});

describe("a run that measures less", () => {
  it("has null for a score that there is not, and for an evaluation that there was not", async (t) => {
    const folder = makeWorkspace(t);
    const set = ["--set", "eval.eval_on_start=false"];
    const line = lastLine(await spectune(folder, "run", "a.peft.yaml", "--json", ...set));
    assert.equal(line["evalBefore"], null);
    const after = line["evalAfter"];
    assert.ok(isRecord(after));
    assert.deepEqual(Object.keys(after), ["loss", "perplexity", "score"]);
    assert.equal(after["score"], null);
  });
});

const colours = ["red", "green", "blue", "sky", "grass", "rose"];

describe("a run of an encoder", () => {
  it("starts a head for the data's labels, learns them, and keeps its predictions", async (t) => {
    const folder = makeWorkspace(
      t,
      `version: 1
model: ./model
task: sequence-classification
data:
  train: ./train.csv
  eval: ./eval.csv
  columns: { text: sentence, label: colour }
method: { type: lora, r: 4, alpha: 2r, target_modules: all-linear }
train: { num_train_epochs: 30, batch_size: 12, learning_rate: 2.0e-2 }
eval: { every: end, metrics: [accuracy, { f1: { average: macro } }] }
run: { threads: 1, report_to: [] }
`,
    );
    writeTinyModel(
      join(folder, "model"),
      tinyBert,
      "sequence-classification",
      /^classifier|pooler/,
    );
    writeWordTokenizer(join(folder, "model"), ["the", "is", ...colours]);
    const rows = ["the sky is,blue", "the grass is,green", "the rose is,red"];
    const table = (count: number): string =>
      ["sentence,colour", ...Array.from({ length: count }, (_, i) => rows[i % 3])].join("\n");
    writeFileSync(join(folder, "train.csv"), table(24));
    writeFileSync(join(folder, "eval.csv"), table(7));
    const outcome = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const line = lastLine(outcome);
    const after = line["evalAfter"];
    assert.ok(isRecord(after));
    assert.equal(after["score"], 1);
    assert.ok(Number(after["loss"]) < 0.3, JSON.stringify(line));
    const runFolder = String(line["runDir"]);
    const results = await readResults(join(runFolder, "results/eval-after.ndjson"));
    // Ids in the order of the sorted names: blue, green, red.
    assert.deepEqual(
      results.value.map(({ label }) => [label?.truth, label?.prediction]),
      [0, 1, 2, 0, 1, 2, 0].map((id) => [id, id]),
    );
    const adapter: unknown = JSON.parse(
      readFileSync(join(runFolder, "adapter/adapter_config.json"), "utf8"),
    );
    assert.ok(isRecord(adapter));
    // The pooler starts anew too, as the checkpoint lacks it.
    assert.deepEqual(adapter["modules_to_save"], ["bert.pooler.dense", "classifier"]);
  });
});
