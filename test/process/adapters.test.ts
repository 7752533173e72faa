/** @file What a run leaves behind, and runs that go on from an adapter. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { at } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, runsOf, spectune } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../support/workspace.ts";

/** The loss that a line of `run --json` tells. */
function lossOf(line: Readonly<Record<string, unknown>>, when: "evalBefore" | "evalAfter"): number {
  const scores = line[when];
  assert(isRecord(scores) && typeof scores["loss"] === "number", JSON.stringify(line));
  return scores["loss"];
}

describe("a finished run", () => {
  it("leaves an adapter with every field of peft's configuration, and a merged model where asked", async (t) => {
    const folder = makeWorkspace(t, `${tinyExperiment}export: [merged]\n`);
    const outcome = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const run = at(runsOf(folder), 0);
    const config: unknown = JSON.parse(
      readFileSync(join(run, "adapter", "adapter_config.json"), "utf8"),
    );
    assert(isRecord(config));
    const { r, lora_alpha: alpha, target_modules: targets, task_type: task } = config;
    assert.deepEqual([r, alpha, task], [4, 8, "CAUSAL_LM"]);
    assert(Array.isArray(targets) && targets.includes("q_proj"), JSON.stringify(targets));
    assert.equal(config["base_model_name_or_path"], join(folder, "model"));
    assert(existsSync(join(run, "merged", "model.safetensors")));
    assert(existsSync(join(run, "merged", "tokenizer.json")));
  });

  it("of full fine-tuning leaves a merged model and no adapter", async (t) => {
    const folder = makeWorkspace(t);
    const outcome = await spectune(folder, "run", "a.peft.yaml", "--set", "method=full", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const run = at(runsOf(folder), 0);
    assert(existsSync(join(run, "merged", "config.json")));
    assert(!existsSync(join(run, "adapter")));
  });
});

describe("method.from", () => {
  it("goes on from an adapter's values, and refuses one of another shape by its field", async (t) => {
    const folder = makeWorkspace(t);
    const first = lastLine(await spectune(folder, "run", "a.peft.yaml", "--json"));
    const adapter = join(at(runsOf(folder), 0), "adapter");
    const again = tinyExperiment.replace("type: lora,", `type: lora, from: "${adapter}",`);
    writeFileSync(join(folder, "b.peft.yaml"), again);
    const outcome = await spectune(folder, "run", "b.peft.yaml", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const second = lastLine(outcome);
    assert.equal(lossOf(second, "evalBefore"), lossOf(first, "evalAfter"));
    assert.notEqual(lossOf(second, "evalAfter"), lossOf(second, "evalBefore"));

    const count = runsOf(folder).length;
    const other = await spectune(folder, "run", "b.peft.yaml", "--set", "method.r=2");
    assert.equal(other.code, 2);
    assert.match(other.err, /adapter-does-not-fit/u);
    assert.match(other.err, /it has r 4, the experiment 2/u);
    assert.equal(runsOf(folder).length, count, "a run folder was made");

    const config: unknown = JSON.parse(readFileSync(join(adapter, "adapter_config.json"), "utf8"));
    assert(isRecord(config));
    writeFileSync(
      join(adapter, "adapter_config.json"),
      JSON.stringify({ ...config, use_qalora: true }),
    );
    const refused = await spectune(folder, "run", "b.peft.yaml");
    assert.equal(refused.code, 2);
    assert.match(refused.err, /use_qalora/u);

    const damages: readonly (readonly [Readonly<Record<string, unknown>> | string, RegExp])[] = [
      [{ lora_alpha: "x" }, /lora_alpha in .* must be a number, not "x"/u],
      [{ r: 0 }, /r in .* must be a whole number from 1, not 0/u],
      [{ peft_type: "LOHA" }, /peft_type: "LOHA" is not supported/u],
      [{ use_qalora: "y".repeat(999) }, /use_qalora: "y{59}… is not supported/u],
      [{ task_type: "TOKEN_CLS" }, /task_type: "TOKEN_CLS" is not supported/u],
      ["[]", /holds no configuration/u],
      ['{"r": 4', /is no JSON/u],
    ];
    for (const [damage, message] of damages) {
      const text = typeof damage === "string" ? damage : JSON.stringify({ ...config, ...damage });
      writeFileSync(join(adapter, "adapter_config.json"), text);
      const { code, err } = await spectune(folder, "run", "b.peft.yaml");
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.match(err, /\n {2}\S/u, "a remedy");
      assert.equal(err.split(adapter).length, 2, `the path once: ${err}`);
    }
  });
});
