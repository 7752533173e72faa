/** @file Adapters of peft's other types: patterns that a type has are read, all others refused by name; no field is passed over. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readOtherConfig } from "../../../../src/engine/adapters/other-config.ts";
import { isRecord } from "../../../../src/shared/wire.ts";
import { loadFixture } from "../../../reference/models/fixture.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import { createFullMatch } from "../../../../src/engine/session/python-regex.ts";

const base = { base_model_name_or_path: "base", task_type: "CAUSAL_LM", bias: "none" };
const lokr = { ...base, peft_type: "LOKR", r: 2, alpha: 4, decompose_factor: -1 };

/** The code and field of what is found first. */
function found(json: Readonly<Record<string, unknown>>): string | undefined {
  const [finding] = readOtherConfig(json, "adapter_config.json").findings;
  return finding && `${finding.code} ${finding.place?.field ?? ""}`;
}

const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, string | undefined])[] =
  [
    [
      "patterns of LoKr",
      { ...lokr, rank_pattern: { q_proj: 1 }, alpha_pattern: { a: 2 } },
      undefined,
    ],
    ["empty patterns", { ...base, peft_type: "HIRA", r: 4, rank_pattern: {} }, undefined],
    [
      "a pattern of HiRA, which peft does not keep",
      { ...base, peft_type: "HIRA", r: 4, rank_pattern: { q_proj: 2 } },
      "unsupported-adapter-field rank_pattern",
    ],
    [
      "ranks that AdaLoRA pruned",
      { ...base, peft_type: "ADALORA", init_r: 4, rank_pattern: { q_proj: [true, false] } },
      "unsupported-adapter-field rank_pattern",
    ],
    [
      "a pattern of no numbers",
      { ...lokr, alpha_pattern: { q_proj: "4" } },
      "unsupported-adapter-field alpha_pattern",
    ],
    [
      "a pattern that the type does not have",
      { ...base, peft_type: "RANDLORA", r: 4, alpha_pattern: { q_proj: 8 } },
      "unsupported-adapter-field alpha_pattern",
    ],
    [
      "a field of some later version",
      { ...base, peft_type: "MISS", r: 4, shard_scale: 2 },
      "unknown-adapter-field shard_scale",
    ],
    ["a field that is off", { ...base, peft_type: "MISS", r: 4, shard_scale: null }, undefined],
  ];

for (const [what, json, expected] of cases)
  it(`${what}: ${expected ?? "read"}`, () => {
    assert.equal(found(json), expected);
  });

it("gives each module of LoKr its own rank and alpha", () => {
  const { config } = loadFixture("llama");
  const { value: model } = readModel(config, "config.json", "causal-lm");
  assert(model);
  const names = model.blocks
    .flatMap(({ linears }) => linears)
    .filter(({ module }) => /(?:q|v)_proj$/u.test(module))
    .flatMap(({ module }) =>
      ["lokr_w1", "lokr_w2_a", "lokr_w2_b"].map((name) => `base_model.model.${module}.${name}`),
    );
  const json = { ...lokr, rank_pattern: { q_proj: 1 }, alpha_pattern: { "layers.1.*v_proj": 6 } };
  const { value } = readOtherConfig(json, "adapter_config.json");
  const placed = value?.place(new Set(names), model, createFullMatch(1000)).value;
  assert(placed);
  assert.deepEqual(placed.choice.rank_pattern, json.rank_pattern);
  assert.deepEqual(placed.choice.alpha_pattern, json.alpha_pattern);
  const rankOf = (end: string): number | undefined =>
    placed.tensors.find(({ name }) => name.endsWith(`${end}.lokr_w2_a`))?.shape[1];
  assert.equal(rankOf("layers.0.self_attn.q_proj"), 1);
  assert.equal(rankOf("layers.0.self_attn.v_proj"), 2);
  assert(isRecord(placed.choice.config) && placed.choice.config["r"] === 2);
});
