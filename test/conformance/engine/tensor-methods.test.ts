/** @file Methods that train tensors in place train those that they select, and no others. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalogFields, methods } from "../../../src/engine/catalog.ts";
import { readModel } from "../../../src/engine/models/registry.ts";
import { setUpModel } from "../../../src/engine/session/set-up.ts";
import { invariant } from "../../../src/shared/errors.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";
import { tinyLlama } from "../../support/workspace.ts";

const { value: model } = readModel(tinyLlama, "config.json", "causal-lm");
invariant(model, "the model can be read");
const tensors = model.blocks.flatMap((block) => block.tensors);

describe("a method that trains tensors in place", () => {
  for (const method of methods) {
    if (method.kind !== "tensors") continue;
    it(`trains what it selects: ${method.name}`, () => {
      const text = `{ version: 1, model: ./m, data: { train: a.txt }, method: ${method.name} }`;
      const { experiment } = readExperiment({ file: "a.peft.yaml", text, catalog: catalogFields });
      invariant(experiment, "the experiment can be read");
      const stored = new Map(tensors.map(({ source }) => [source, { dtype: "float32" as const }]));
      const { value, findings } = setUpModel(model, experiment, stored, () => false);
      assert.deepEqual(findings, []);
      const selected = new Set(
        tensors.filter((tensor) => method.selects(tensor)).map(({ source }) => source),
      );
      assert(selected.size > 0);
      assert.deepEqual(new Set(value.trained.map(({ name }) => name)), selected);
    });
  }
});
