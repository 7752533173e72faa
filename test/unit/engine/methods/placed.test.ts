/** @file What methods outside linear layers start from, and what of them is refused. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { catalogFields } from "../../../../src/engine/catalog.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import { setUpModel } from "../../../../src/engine/session/set-up.ts";
import { invariant } from "../../../../src/shared/errors.ts";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";
import { placedNetwork } from "../../../conformance/engine/placed-case.ts";
import { tinyLlama } from "../../../support/workspace.ts";

const table = "model.embed_tokens.weight";

it("starts virtual tokens from the words of a text, again and again", async (t) => {
  const choice = { type: "prompt_tuning", num_virtual_tokens: 7 };
  const words = { prompt_tuning_init: "text", prompt_tuning_init_text: "abc" };
  const { parameters, base } = await placedNetwork(t, "llama", { ...choice, ...words });
  // The test's tokenizer gives three ids.
  const ids = Int32Array.of(0, 7, 14, 0, 7, 14, 0);
  const rows = new Float32Array(7 * 16);
  base.rows(table, ids, rows);
  assert.deepEqual(parameters.get("embedding.tokens#prompt").weight, rows);
});

it("starts virtual tokens from different words of the vocabulary", async (t) => {
  const choice = { type: "prompt_tuning", num_virtual_tokens: 40 };
  const { parameters, base } = await placedNetwork(t, "llama", {
    ...choice,
    prompt_tuning_init: "sample_vocab",
  });
  const all = new Float32Array(40 * 16);
  base.rows(
    table,
    Int32Array.from({ length: 40 }, (_, id) => id),
    all,
  );
  const sorted = (values: Float32Array): readonly string[] =>
    Array.from({ length: 40 }, (_, row) =>
      values.slice(row * 16, (row + 1) * 16).join(),
    ).toSorted();
  const { weight } = parameters.get("embedding.tokens#prompt");
  assert.deepEqual(sorted(weight), sorted(all));
  assert.notDeepEqual(weight, all);
});

it("shares the projection of a prefix between the layers, and gives each its own rows of it", async (t) => {
  const choice = { type: "prefix_tuning", num_virtual_tokens: 3, prefix_projection: true };
  const { parameters } = await placedNetwork(t, "llama", choice);
  const names = [...parameters.all.keys()];
  for (const shared of ["embedding", "down", "down_bias"])
    assert.equal(names.filter((name) => name.endsWith(`#${shared}`)).length, 1, shared);
  assert.equal(names.filter((name) => name.endsWith("#up")).length, 2);
});

const refused: readonly (readonly [method: string, code: string])[] = [
  ["{ type: prompt_tuning, num_virtual_tokens: 63 }", "prompt-exceeds-model"],
  ["{ type: prefix_tuning, num_virtual_tokens: 64 }", "prompt-exceeds-model"],
  ["{ type: trainable_tokens, token_indices: [3, 264] }", "token-outside-vocabulary"],
  ["[prompt_tuning, prompt_tuning]", "two-methods-at-one-site"],
  ["[bottleneck, mixlora]", "two-methods-at-one-site"],
];

for (const [method, code] of refused)
  it(`refuses ${method}: ${code}`, () => {
    const text = `{ version: 1, model: ./m, data: { train: a.txt }, method: ${method} }`;
    const { experiment } = readExperiment({ file: "a.peft.yaml", text, catalog: catalogFields });
    const { value: model } = readModel(tinyLlama, "config.json", "causal-lm");
    invariant(experiment && model, "the experiment and the model can be read");
    const { findings } = setUpModel(model, experiment, new Map(), () => false);
    assert.deepEqual(
      findings.map((finding) => finding.code),
      [code],
    );
  });

it("leaves the words the length that a prompt takes", () => {
  const text =
    "{ version: 1, model: ./m, data: { train: a.txt }, method: { type: prompt_tuning, num_virtual_tokens: 20 } }";
  const { experiment } = readExperiment({ file: "a.peft.yaml", text, catalog: catalogFields });
  const { value: model } = readModel(tinyLlama, "config.json", "causal-lm");
  invariant(experiment && model, "the experiment and the model can be read");
  const { value } = setUpModel(model, experiment, new Map(), () => false);
  assert.equal(value.model.sizes.maxLength, 44);
});
