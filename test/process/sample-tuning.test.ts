/** @file The sample's task needs tuning, and LoRA learns it without forgetting much. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { loadEvents } from "../../src/engine/runs/events-log.ts";
import { invariant } from "../../src/shared/errors.ts";
import { foldRun } from "../../src/shared/run-view.ts";
import { runsOf, spectune } from "../support/command-line.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

it("brings the sample's score from chance to over 90 % on facts that nothing has seen", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  cpSync(join(import.meta.dirname, "../../media/sample"), join(folder, "sample"), {
    recursive: true,
  });
  const outcome = await spectune(folder, "run", "sample/lora.peft.yaml");
  assert.equal(outcome.code, 0, outcome.err);
  const [run] = runsOf(folder);
  invariant(run, "there is no run folder");
  const { evaluations } = foldRun((await loadEvents(run)).value);
  const measured = (split: string, moment: string, metric: string): number =>
    evaluations.find((each) => each.split === split && each.moment === moment)?.metrics[metric] ??
    NaN;
  assert.ok(measured("eval", "before", "exact_match") <= 0.02);
  assert.ok(measured("eval", "after", "exact_match") > 0.9);
  assert.ok(measured("test", "after", "exact_match") > 0.9);
  // Tuning on the task alone multiplies the loss on general text by three and more.
  assert.ok(measured("general", "after", "loss") < 2 * measured("general", "before", "loss"));
});
