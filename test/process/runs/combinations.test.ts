/** @file Initialisers on a quantized base under schedules of layers, and several methods at once: they compose. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
import { lastLine, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";

const combinations = [
  { init: "pissa", layers: "lisa" },
  { init: "eva", layers: "hift" },
  { init: "corda", layers: "lisa" },
  { init: "lora_ga", layers: "hift" },
] as const;

describe("on a base in NF4", () => {
  for (const { init, layers } of combinations)
    it(`${init} starts a pair that trains by ${layers}'s turns`, async (t) => {
      const folder = makeWorkspace(t, `${tinyExperiment}quantization: nf4\n`);
      const outcome = await spectune(
        folder,
        "run",
        "a.peft.yaml",
        "--json",
        ...["--set", `method.init=${init}`, "--set", "train.max_steps=6"],
        ...["--set", `train.active_layers=${layers}`],
      );
      assert.equal(outcome.code, 0, outcome.err);
      const { evalBefore, evalAfter } = lastLine(outcome);
      assert(isRecord(evalBefore) && isRecord(evalAfter));
      assert.ok(Number(evalAfter["loss"]) < Number(evalBefore["loss"]), outcome.out);
    });
});

it("several methods train together, each at its own layers", async (t) => {
  const list =
    "[{ type: lora, r: 4, target_modules: [q_proj] }, { type: miss, r: 4, target_modules: [down_proj] }, { type: ia3, target_modules: [v_proj], feedforward_modules: [] }]";
  const folder = makeWorkspace(t, tinyExperiment.replace(/method: .*/, `method: ${list}`));
  const outcome = await spectune(folder, "run", "a.peft.yaml", "--json");
  assert.equal(outcome.code, 0, outcome.err);
  // In each of two layers: 4 (32 + 32) of q, 4 · 32 of down, 16 of v.
  assert.equal(lastLine(outcome)["trainableParameters"], 2 * (256 + 128 + 16));
});
