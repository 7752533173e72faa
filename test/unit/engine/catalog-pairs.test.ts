/** @file Choices that exclude one another are refused with the reason; others are not. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { catalogFields } from "../../../src/engine/catalog.ts";
import { excludedPairs } from "../../../src/engine/catalog-pairs.ts";
import { invariant } from "../../../src/shared/errors.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";

const cases: readonly (readonly [method: string, train: string, code: string | undefined])[] = [
  ["adalora", "{ optimizer: adamw }", undefined],
  ["adalora", "{ optimizer: lomo }", "hooks-without-gradients"],
  ["sora", "{ optimizer: mezo }", "hooks-without-gradients"],
  ["lora", "{ optimizer: mezo }", undefined],
  ["lamda", "{ active_layers: lisa }", "hooks-with-resting-layers"],
  ["lora", "{ optimizer: lora_pro }", undefined],
  ["dora", "{ optimizer: lora_pro }", undefined],
  ["miss", "{ optimizer: lora_pro }", "pair-rule-without-pair"],
  ["lora_xs", "{ optimizer: lora_pro }", "pair-rule-without-pair"],
  ["{ type: lora, sharing: sharelora }", "{ optimizer: lora_pro }", "pair-rule-with-sharing"],
  ["lora", "{ optimizer: lomo, batch_size: 8, micro_batch_size: 8 }", undefined],
  [
    "lora",
    "{ optimizer: lomo, batch_size: 8, micro_batch_size: 4 }",
    "consumed-with-several-batches",
  ],
  ["lora", "{ optimizer: sgd, batch_size: 8, micro_batch_size: 4 }", undefined],
  ["{ type: lora, init: pissa }", "{ active_layers: lisa }", undefined],
  ["{ type: lora, init: lora_sb }", "{ optimizer: adamw }", "init-without-core"],
  ["{ type: lora_xs, init: lora_sb }", "{ optimizer: adamw }", undefined],
  ["{ type: lora, init: pissa, from: ./a }", "{ optimizer: adamw }", "init-beside-from"],
  [
    "[{ type: lora, target_modules: [a] }, { type: sora, target_modules: [b] }]",
    "{ optimizer: mezo }",
    "hooks-without-gradients",
  ],
];

const others: readonly (readonly [method: string, rest: string, code: string | undefined])[] = [
  ["lora", "quantization: nf4", undefined],
  ["norms", "quantization: nf4", undefined],
  ["full", "quantization: nf4", "quantized-base-changes"],
  ["[lora, { type: full }]", "quantization: rtn", "quantized-base-changes"],
  ["lora", "quantization: gptq", "quantized-from-data"],
  ["adalora", "run: { device: cpu }", undefined],
  ["adalora", "run: { device: webgpu }", "hooks-on-gpu"],
  ["lora", "run: { device: webgpu }", undefined],
  ["full", "run: { device: cuda }, train: { optimizer: galore }", "optimizer-on-gpu"],
  ["vera", "export: [lora]", undefined],
  ["{ type: miss, mini_r: 4 }", "export: [lora]", undefined],
  ["{ type: miss, mode: bat }", "export: [lora]", "no-lora-form"],
  ["ia3", "export: [peft, lora]", "no-lora-form"],
  ["dora", "export: [lora]", "no-lora-form"],
];

for (const [method, rest, code] of [
  ...cases.map(([name, train, expected]) => [name, `train: ${train}`, expected] as const),
  ...others,
])
  it(`${method} with ${rest} ${code === undefined ? "is taken" : `is refused: ${code}`}`, () => {
    const text = `{ version: 1, model: ./m, data: { train: a.txt }, method: ${method}, ${rest} }`;
    const { experiment } = readExperiment({ file: "a.peft.yaml", text, catalog: catalogFields });
    invariant(experiment, "the experiment can be read");
    assert.deepEqual(
      excludedPairs(experiment).map((finding) => finding.code),
      code === undefined ? [] : [code],
    );
  });
