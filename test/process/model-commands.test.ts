/** @file The commands that take a run or a model: eval, generate, export, merge, inspect. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  rmSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { at } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import type { Outcome } from "../support/command-line.ts";
import { lastLine, runsOf, spectune } from "../support/command-line.ts";
import {
  makeWorkspace,
  tinyBert,
  tinyExperiment,
  writeTinyModel,
  writeWordTokenizer,
} from "../support/workspace.ts";

/** A workspace with one finished run. */
async function trained(
  t: TestContext,
  ...set: readonly string[]
): Promise<{ readonly folder: string; readonly run: string; readonly loss: unknown }> {
  const folder = makeWorkspace(t, tinyExperiment);
  const outcome = await spectune(folder, "run", "a.peft.yaml", "--json", ...set);
  assert.equal(outcome.code, 0, outcome.err);
  const after = lastLine(outcome)["evalAfter"];
  return { folder, run: at(runsOf(folder), 0), loss: isRecord(after) ? after["loss"] : undefined };
}

function lossOf(outcome: Outcome): number {
  assert.equal(outcome.code, 0, outcome.err);
  const metrics = lastLine(outcome)["metrics"];
  assert(isRecord(metrics) && typeof metrics["loss"] === "number", outcome.out);
  return metrics["loss"];
}

function close(a: number, b: unknown): void {
  assert(typeof b === "number" && Math.abs(a - b) < 1e-5 * Math.abs(b), `${a} and ${String(b)}`);
}

const data = ["--data", "eval.jsonl", "--set", "data.max_length=64", "--json"] as const;

describe("the model of a run", () => {
  it("measures alike as run, adapter, merged folder and merge", async (t) => {
    const { folder, run, loss } = await trained(t, "--set", "export=[merged]");
    const own = await spectune(folder, "eval", run, ...data);
    close(lossOf(own), loss);
    // What its experiment's checks warn of was said when the run began.
    assert.equal(own.err, "");
    const examples = lastLine(own)["examples"];
    assert.equal(examples, 12);
    close(lossOf(await spectune(folder, "eval", "--adapter", join(run, "adapter"), ...data)), loss);
    close(lossOf(await spectune(folder, "eval", join(run, "merged"), ...data)), loss);
    const merge = ["merge", "--adapter", join(run, "adapter"), "--base", "./model", "--out"];
    assert.equal((await spectune(folder, ...merge, "out")).code, 0);
    close(lossOf(await spectune(folder, "eval", "--model", "./out", ...data)), loss);
    assert.equal((await spectune(folder, "merge", run, "--out", "again")).code, 0);
    const weights = (of: string): Buffer => readFileSync(join(folder, of, "model.safetensors"));
    assert.deepEqual(weights("again"), weights("out"));
    const nothing = await spectune(folder, "merge", "./model", "--out", "never");
    assert.equal(nothing.code, 2);
    assert.match(nothing.err, /nothing-to-merge/u);
    const base = lossOf(await spectune(folder, "eval", "--model", "./model", ...data));
    assert(Math.abs(base - Number(loss)) > 1e-3);
  });

  it("of full fine-tuning is its merged folder", async (t) => {
    const { folder, run, loss } = await trained(t, "--set", "method=full");
    close(lossOf(await spectune(folder, "eval", run, ...data)), loss);
  });

  it("is its newest checkpoint where it exported nothing", async (t) => {
    const { folder, run, loss } = await trained(t);
    const adapter = readFileSync(join(run, "adapter", "adapter_model.safetensors"));
    const moved = join(folder, ".spectune", "runs", "interrupted");
    mkdirSync(join(moved, "checkpoints"), { recursive: true });
    for (const name of ["experiment.yaml", "checkpoints"])
      cpSync(join(run, name), join(moved, name), { recursive: true });
    close(lossOf(await spectune(folder, "eval", "interrupted", ...data)), loss);
    const exported = await spectune(folder, "export", "interrupted", "--as", "peft");
    assert.equal(exported.code, 0, exported.err);
    assert.deepEqual(readFileSync(join(moved, "adapter", "adapter_model.safetensors")), adapter);
  });

  it("of a quantized base is measured on it, and a merge says that it is not the original", async (t) => {
    const { folder, run, loss } = await trained(t, "--set", "quantization=nf4");
    close(lossOf(await spectune(folder, "eval", run, ...data)), loss);
    const merged = await spectune(folder, "export", run, "--as", "merged", "--out", "merged");
    assert.equal(merged.code, 0, merged.err);
    assert.match(merged.err, /merged-from-quantized/u);
    close(lossOf(await spectune(folder, "eval", "--model", "merged", ...data)), loss);
    const plain = await spectune(folder, "eval", "--adapter", join(run, "adapter"), ...data);
    assert(Math.abs(lossOf(plain) - Number(loss)) > 1e-6);
  });
});

describe("export", () => {
  it("writes the adapter again as it was, and the script", async (t) => {
    const { folder, run } = await trained(t);
    const files = ["adapter_config.json", "adapter_model.safetensors"];
    assert.equal((await spectune(folder, "export", run, "--as", "peft", "--out", "again")).code, 0);
    for (const name of files)
      assert.deepEqual(
        readFileSync(join(folder, "again", name)),
        readFileSync(join(run, "adapter", name)),
        name,
      );
    assert.equal((await spectune(folder, "export", run, "--as", "script")).code, 0);
    assert.match(readFileSync(join(run, "script.py"), "utf8"), /get_peft_model/u);
  });

  it("never writes over what is there, and refuses a form that there is not", async (t) => {
    const { folder, run } = await trained(t, "--set", "method=full");
    for (const [form, code] of [
      ["peft", "no-adapter-form"],
      ["lora", "no-lora-form"],
    ] as const) {
      const outcome = await spectune(folder, "export", run, "--as", form, "--out", "new");
      assert.equal(outcome.code, 2);
      assert(outcome.err.includes(`[${code}]`), outcome.err);
    }
    assert(!existsSync(join(folder, "new")));
    const taken = await spectune(folder, "export", run, "--as", "merged", "--out", "model");
    assert.equal(taken.code, 2);
    assert.match(taken.err, /output-exists/u);
    const odd = await spectune(folder, "export", run, "--as", "onnx");
    assert.equal(odd.code, 2);
    assert.match(odd.err, /peft, lora, merged, script/u);
  });
});

describe("generate", () => {
  it("continues a prompt with and without the adapter", async (t) => {
    const { folder, run } = await trained(t, "--set", "train.learning_rate=0.1");
    const args = ["--prompt", "70. Ann waits. Who? ", "--max-new-tokens", "6"];
    const outcome = await spectune(folder, "generate", run, ...args, "--compare", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const { completion, without } = lastLine(outcome);
    assert(isRecord(completion) && isRecord(without));
    assert.notEqual(completion["text"], without["text"]);
    const base = await spectune(folder, "generate", "--model", "model", ...args, "--json");
    assert.deepEqual(lastLine(base)["completion"], without);
    const shown = await spectune(folder, "generate", run, ...args);
    assert.equal(shown.out, `${String(completion["text"])}\n`);
    assert.equal(shown.err, "");
    const most = await spectune(
      folder,
      "generate",
      "model",
      "--prompt",
      "a",
      "--set",
      "run.threads=1",
    );
    assert.match(most.err, /reads at most 64 tokens/u);
  });

  it("refuses options out of their bounds", async (t) => {
    const folder = makeWorkspace(t);
    for (const [option, value] of [
      ["--top-p", "2"],
      ["--temperature", "hot"],
      ["--max-new-tokens", "0"],
    ] as const) {
      const args = ["generate", "--model", "model", "--prompt", "a", option, value];
      const outcome = await spectune(folder, ...args);
      assert.equal(outcome.code, 2);
      assert.match(outcome.err, new RegExp(`${option} takes a`, "u"));
    }
  });
});

describe("options", () => {
  it("that cannot be meant are named, with what was", async (t) => {
    const folder = makeWorkspace(t);
    const model = ["--model", "model", "--prompt", "a"];
    for (const [args, says] of [
      [["generate", ...model, "--temperature", "-1"], /not -1\./u],
      [["generate", ...model, "--temprature", "1"], /--temprature[^]*--temperature/u],
      [["eval", "model", "--data", "eval.jsonl", "--metrics", "los"], /metric los\.[^]*loss/u],
      [["eval", "model", "--data", "eval.jsonl", "--metrics", "{ x: 1 }"], /no metric\.[^]*f1/u],
    ] as const) {
      const outcome = await spectune(folder, ...args);
      assert.equal(outcome.code, 2);
      assert.match(outcome.err, says);
      assert.equal(outcome.err.trimEnd().split("\n").length, 2, outcome.err);
    }
    const own = "loss, exact_match: { max_new_tokens: 2 }";
    const measured = await spectune(folder, "eval", "model", ...data, "--metrics", own);
    const { metrics } = lastLine(measured);
    assert.deepEqual(Object.keys(isRecord(metrics) ? metrics : {}), ["loss", "exact_match"]);
  });
});

describe("a hub id", () => {
  it("is taken for a model where no folder has its name", async (t) => {
    const folder = makeWorkspace(t);
    for (const args of [
      ["generate", "--prompt", "a"],
      ["eval", "--data", "eval.jsonl"],
    ]) {
      const [command = "", ...others] = args;
      const missing = await spectune(folder, command, "org/name", ...others);
      assert.equal(missing.code, 2);
      assert.match(missing.err, /no model org\/name on this machine[^]*hub cache/u);
      const run = await spectune(folder, command, "name", ...others);
      assert.match(run.err, /no run "name"/u);
    }
  });
});

describe("a run that has not finished", () => {
  it("says from which step its weights are, and how to go on", async (t) => {
    const folder = makeWorkspace(t, `${tinyExperiment}checkpoints: { every: 1 steps, keep: 9 }\n`);
    assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
    const run = at(runsOf(folder), 0);
    const told = async (): Promise<string> =>
      (await spectune(folder, "generate", "a", "--prompt", "b", "--max-new-tokens", "1")).err;
    assert.doesNotMatch(await told(), /has not finished/u);
    const events = join(run, "events.ndjson");
    const lines = readFileSync(events, "utf8").split("\n");
    const second = lines.findIndex((line) => /"type":"checkpoint".*"step":1\b/u.test(line));
    writeFileSync(events, lines.slice(0, second + 1).join("\n") + "\n");
    for (const made of ["adapter", "checkpoints/step-2"])
      rmSync(join(run, made), { recursive: true, force: true });
    assert.match(
      await told(),
      /^\S+-a has not finished: these weights are those of step 1 of 2\. `spectune run --resume \S+-a` goes on\.$/mu,
    );
  });
});

describe("methods", () => {
  it("are listed for machines with their fields", async (t) => {
    const outcome = await spectune(makeWorkspace(t), "methods", "lora", "--json");
    const list: unknown = JSON.parse(outcome.out);
    const row: unknown = Array.isArray(list) ? list[0] : undefined;
    assert(isRecord(row) && Array.isArray(row["fields"]));
    assert.deepEqual(
      row["fields"].map((field: unknown) =>
        isRecord(field) ? [field["name"], field["default"]] : [],
      ),
      [
        ["r", 8],
        ["alpha", 16],
        ["use_rslora", false],
      ],
    );
  });

  it("are explained with what each field takes, as messages say it", async (t) => {
    const folder = makeWorkspace(t);
    const { out } = await spectune(folder, "methods", "lora");
    assert.match(out, /^ {2}r: a whole number at least 1 \(default 8\)\n {4}Rank of/mu);
    assert.match(out, /shares with other methods:[^]*^ {2}rank_pattern: [^]*^ {2}dropout: /mu);
    assert.doesNotMatch((await spectune(folder, "methods", "full")).out, /dropout/u);
    const schedule = await spectune(folder, "methods", "cosine");
    assert.match(schedule.out, /schedule cosine\)\nFalls along half a cosine/u);
    assert.match((await spectune(folder, "methods")).out, /^linear +schedule /mu);
    const optimizer = await spectune(folder, "methods", "adamw");
    assert.match(optimizer.out, /^ {2}betas: a list, .* \(default \[0\.9, 0\.999\]\)$/mu);
  });
});

describe("a classifier", () => {
  it("is measured by its labels' names, which its adapter does not tell", async (t) => {
    const folder = makeWorkspace(
      t,
      `version: 1
model: ./bert
task: sequence-classification
data: { train: ./labelled.csv, eval: ./labelled.csv }
method: { type: lora, r: 2, target_modules: [query, value] }
train: { max_steps: 2, batch_size: 8, learning_rate: 1.0e-2 }
run: { threads: 1, report_to: [] }
export: [merged]
`,
    );
    writeTinyModel(join(folder, "bert"), tinyBert, "sequence-classification", /^classifier/);
    writeWordTokenizer(join(folder, "bert"), ["good", "bad", "dull", "film", "a"]);
    const rows = Array.from({ length: 24 }, (_, row) => at(["good", "bad", "dull"], row % 3));
    const text = rows.map((word) => `a ${word} film,${word}`).join("\n");
    writeFileSync(join(folder, "labelled.csv"), `text,label\n${text}\n`);
    const outcome = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const after = lastLine(outcome)["evalAfter"];
    const loss = isRecord(after) ? after["loss"] : undefined;
    const run = at(runsOf(folder), 0);
    const labelled = ["--data", "labelled.csv", "--json"];
    close(lossOf(await spectune(folder, "eval", run, ...labelled)), loss);
    close(
      lossOf(await spectune(folder, "eval", "--model", join(run, "merged"), ...labelled)),
      loss,
    );
    const adapter = ["eval", "--model", "bert", "--adapter", join(run, "adapter"), ...labelled];
    const unnamed = await spectune(folder, ...adapter);
    assert.equal(unnamed.code, 2);
    assert.match(unnamed.err, /labels-do-not-fit/u);
    const named = await spectune(folder, ...adapter, "--set", "data.labels=[bad, dull, good]");
    close(lossOf(named), loss);
    const headless = await spectune(folder, "eval", "--model", "bert", ...labelled);
    assert.equal(headless.code, 2);
    assert.match(headless.err, /missing-head/u);
  });
});

describe("inspect", () => {
  it("tells a model's architecture and targets, an adapter's fields, and any weights at all", async (t) => {
    const { folder, run } = await trained(t);
    const model = lastLine(await spectune(folder, "inspect", "model", "--json"));
    const { architecture } = model;
    assert(isRecord(architecture) && Array.isArray(architecture["linears"]));
    assert.equal(architecture["modelType"], "llama");
    assert.equal(architecture["linears"].length, 8);
    const shown = await spectune(folder, "inspect", "model", "--tensors");
    assert.match(shown.out, /down_proj +2 +32 × 48 +yes/u);
    assert.match(shown.out, /model\.norm\.weight +F32 +\[32\]/u);

    const { adapter, kind } = lastLine(
      await spectune(folder, "inspect", join(run, "adapter"), "--json"),
    );
    assert.equal(kind, "adapter");
    assert(isRecord(adapter));
    assert.deepEqual([adapter["r"], adapter["lora_alpha"]], [4, 8]);

    const config = join(folder, "model", "config.json");
    writeFileSync(config, readFileSync(config, "utf8").replace('"llama"', '"someday"'));
    const other = await spectune(folder, "inspect", "model");
    assert.equal(other.code, 0);
    assert.match(other.err, /someday/u);
    assert.match(other.out, /parameters/u);
    appendFileSync(join(folder, "model", "model.safetensors"), "x");
    assert.equal((await spectune(folder, "inspect", "model")).code, 2);
  });
});
