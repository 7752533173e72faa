/** @file Target modules are chosen as peft chooses them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { patternValue, targetSites } from "../../../../src/engine/methods/targets.ts";
import type { TargetFields } from "../../../../src/engine/methods/targets.ts";
import type { Model, Task } from "../../../../src/engine/models/architecture.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import { fullMatch } from "../../../support/network.ts";
import * as configs from "../models/configs.ts";

function model(config: configs.Config, task: Task): Model {
  const { value } = readModel(config, "config.json", task);
  assert(value);
  return value;
}

const llama = model(configs.llama, "causal-lm");
const gpt2 = model(configs.gpt2, "causal-lm");
const bert = model(configs.bert, "sequence-classification");
const roberta = model(configs.roberta, "sequence-classification");

const all: TargetFields = {
  target_modules: "all-linear",
  exclude_modules: null,
  layers_to_transform: null,
  layers_pattern: null,
  modules_to_save: [],
};

/** Names of the chosen modules, which nothing was said about; `model.layers.` is left out. */
function chosen(of: Model, fields: Partial<TargetFields>): readonly string[] {
  const { sites, findings } = targetSites(of, { ...all, ...fields }, fullMatch);
  assert.deepEqual(findings, []);
  return sites.map(({ module }) => module.replace(/^(model\.layers|transformer\.h)\./u, ""));
}

/** The one finding. */
function finding(of: Model, fields: Partial<TargetFields>) {
  const { findings } = targetSites(of, { ...all, ...fields }, fullMatch);
  assert.equal(findings.length, 1);
  const [only] = findings;
  assert(only);
  assert.equal(only.severity, "error");
  return only;
}

describe("target_modules", () => {
  it("`all-linear` is every linear layer but the head", () => {
    assert.equal(chosen(llama, {}).length, 14);
    assert(!chosen(llama, {}).includes("lm_head"));
    assert.deepEqual(chosen(llama, { target_modules: null }), chosen(llama, {}));
    assert.deepEqual(chosen(llama, { target_modules: "ALL-linear" }), chosen(llama, {}));
    assert.deepEqual(chosen(gpt2, {}).slice(0, 4), [
      "0.attn.c_attn",
      "0.attn.c_proj",
      "0.mlp.c_fc",
      "0.mlp.c_proj",
    ]);
    assert.deepEqual(chosen(bert, {}).slice(-1), ["bert.pooler.dense"]);
    assert(!chosen(roberta, {}).some((module) => module.startsWith("classifier")));
  });

  it("a name is a module's, or its last parts", () => {
    assert.deepEqual(chosen(llama, { target_modules: ["q_proj"] }), [
      "0.self_attn.q_proj",
      "1.self_attn.q_proj",
    ]);
    assert.deepEqual(chosen(llama, { target_modules: ["1.self_attn.q_proj", "lm_head"] }), [
      "1.self_attn.q_proj",
      "lm_head",
    ]);
    assert.deepEqual(chosen(gpt2, { target_modules: ["attn.c_proj"] }), [
      "0.attn.c_proj",
      "1.attn.c_proj",
    ]);
    assert.equal(finding(llama, { target_modules: ["proj"] }).code, "no-target-matches");
  });

  it("text is a regular expression for the whole name", () => {
    const target_modules = "model\\.layers\\.0\\..*\\.(q|v)_proj";
    const modules = ["0.self_attn.q_proj", "0.self_attn.v_proj"];
    assert.deepEqual(chosen(llama, { target_modules }), modules);
    assert.equal(finding(llama, { target_modules: "q_proj" }).code, "no-target-matches");
  });

  it("that match nothing are an error that lists what exists", () => {
    const { code, message, remedy } = finding(llama, { target_modules: ["query", "q_porj"] });
    assert.equal(code, "no-target-matches");
    assert.match(message, /query, q_porj \(did you mean q_proj\?\), which match nothing/u);
    assert.match(
      remedy ?? "",
      /q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, lm_head/u,
    );
    assert.equal(finding(llama, { target_modules: [] }).code, "no-target-matches");
    assert.match(
      finding(bert, { target_modules: "x" }).remedy ?? "",
      /: query, key, value, dense\.$/u,
    );
  });

  it("a list in which some names match nothing is an error that names those", () => {
    const { code, message } = finding(llama, { target_modules: ["q_proj", "value"] });
    assert.equal(code, "target-without-match");
    assert.match(message, /names value, which matches nothing/u);
  });
});

describe("what is left out", () => {
  it("by exclude_modules: names or a regular expression", () => {
    const target_modules = ["q_proj", "v_proj"];
    const excluded = (exclude_modules: TargetFields["exclude_modules"]) =>
      chosen(llama, { target_modules, exclude_modules });
    assert.deepEqual(excluded(["0.self_attn.q_proj", "v_proj"]), ["1.self_attn.q_proj"]);
    assert.deepEqual(excluded(".*\\.0\\..*"), ["1.self_attn.q_proj", "1.self_attn.v_proj"]);
    assert.equal(excluded([]).length, 4);
    const code = finding(llama, { target_modules, exclude_modules: target_modules }).code;
    assert.equal(code, "no-target-matches");
  });

  it("by layers_to_transform", () => {
    const target_modules = ["q_proj", "lm_head"];
    const layers = (layers_to_transform: readonly number[], layers_pattern?: readonly string[]) =>
      chosen(llama, {
        target_modules,
        layers_to_transform,
        layers_pattern: layers_pattern ?? null,
      });
    assert.deepEqual(layers([1]), ["1.self_attn.q_proj"]);
    assert.deepEqual(layers([]).length, 3);
    assert.deepEqual(layers([0], ["layers"]), ["0.self_attn.q_proj"]);
    assert.deepEqual(layers([0], ["h", "lay.*"]), ["0.self_attn.q_proj"]);
    const none = { target_modules, layers_to_transform: [0], layers_pattern: ["h"] };
    assert.equal(finding(llama, none).code, "no-target-matches");
    const beyond = finding(llama, { layers_to_transform: [2] });
    assert.equal(beyond.code, "no-target-matches");
    assert.match(beyond.remedy ?? "", /q_proj, [^]* in layers 0 to 1\.$/u);
    assert.deepEqual(chosen(gpt2, { target_modules: ["c_attn"], layers_to_transform: [1] }), [
      "1.attn.c_attn",
    ]);
  });

  it("by modules_to_save, and within the head of a classifier", () => {
    assert.deepEqual(chosen(llama, { target_modules: ["q_proj"], modules_to_save: ["layers.0"] }), [
      "1.self_attn.q_proj",
    ]);
    const dense = chosen(roberta, { target_modules: ["dense", "out_proj"] });
    assert.equal(dense.length, 6);
    assert(!dense.some((module) => module.startsWith("classifier")));
    assert.equal(finding(roberta, { target_modules: ["out_proj"] }).code, "no-target-matches");
  });
});

describe("rank_pattern and alpha_pattern", () => {
  const module = "model.layers.1.self_attn.q_proj";
  const value = (pattern: Readonly<Record<string, number>>) =>
    patternValue(pattern, module, fullMatch);

  it("take the first key that matches the name's end", () => {
    assert.equal(value({ q_proj: 4 }), 4);
    assert.equal(value({ v_proj: 2, "self_attn.q_proj": 4, q_proj: 8 }), 4);
    assert.equal(value({ [module]: 4 }), 4);
    assert.equal(value({ "layers\\.[01]\\..*": 4 }), 4);
    assert.equal(value({ "k_proj|q_proj": 4 }), 4);
  });

  it("take no part of a name", () => {
    assert.equal(value({ proj: 4, self_attn: 4, "1": 4 }), undefined);
  });
});
