/** @file What the plan says of memory: its parts, what moves each, and the peak of a real run. */
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { machineFacts } from "../../src/engine/session/machine-facts.ts";
import { withAbsolutePaths } from "../../src/engine/session/absolute-paths.ts";
import { prepareRun } from "../../src/engine/session/prepare-run.ts";
import { memoryInputs } from "../../src/engine/plan/memory-inputs.ts";
import type { MemoryPlan } from "../../src/engine/plan/plan-memory.ts";
import { planMemory } from "../../src/engine/plan/plan-memory.ts";
import { readExperimentFile } from "../../src/cli/read-file.ts";
import { lastLine, startSpectune } from "../support/command-line.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const sample = join(import.meta.dirname, "../../media/sample");

async function planned(folder: string, ...overrides: readonly string[]): Promise<MemoryPlan> {
  const file = join(folder, "lora.peft.yaml");
  const { experiment } = await readExperimentFile(file, overrides, folder);
  assert(experiment);
  const { opened, setup, data, tokenizer, ...run } = await prepareRun(
    withAbsolutePaths(experiment, folder, () => true),
    { emit: () => undefined, facts: machineFacts(), now: new Date(0) },
  );
  await opened.source.close();
  return planMemory(memoryInputs(run.experiment, setup, data, tokenizer));
}

describe("the memory that a plan names", () => {
  it("is the sum of its parts, each of which moves with its cause", async () => {
    const plan = await planned(sample);
    const { total, ...parts } = plan;
    assert.equal(
      total,
      Object.values(parts).reduce((a, b) => a + b, 0),
    );
    const [checkpointed, packed, full, small, ranked] = [
      await planned(sample, "train.gradient_checkpointing=true"),
      await planned(sample, "quantization=nf4"),
      await planned(sample, "method=full"),
      await planned(sample, "train.micro_batch_size=1"),
      await planned(sample, "method.r=16"),
    ];
    assert(checkpointed.activations < plan.activations);
    assert(packed.base < 0.6 * plan.base && packed.scratch > plan.scratch);
    assert(full.trained > 20 * plan.trained && full.base < plan.base);
    assert(small.activations < plan.activations / 2 && small.programs < plan.programs);
    assert.equal(ranked.trained, 4 * plan.trained);
  });

  it("is within 15 % of a run's peak, and not under it by more than 5 %", async (t: TestContext) => {
    const folder = scratch(t);
    cpSync(sample, folder, { recursive: true });
    // Rows of one length: the plan counts programs for every length that the data have, a short run meets few.
    writeFileSync(
      join(folder, "long.txt"),
      `${"Ann left the red bell in the garden. ".repeat(12)}\n`.repeat(64),
    );
    const overrides = [
      ...["data.train=./long.txt", "data.format=text", "data.test=null", "data.eval=null"],
      ...["train.max_steps=3", "train.batch_size=16", "train.micro_batch_size=16"],
      ...["eval.forgetting=null", "eval.metrics=[loss]", "checkpoints.every=end"],
    ];
    const { total } = await planned(folder, ...overrides);
    const set = overrides.flatMap((override) => ["--set", override]);
    const outcome = await startSpectune(t, folder, "run", "lora.peft.yaml", "--json", ...set).end;
    assert.equal(outcome.code, 0, outcome.err);
    const ratio = total / Number(lastLine(outcome)["peakMemoryBytes"]);
    t.diagnostic(`estimate / peak ${ratio.toFixed(3)}`);
    assert(ratio > 0.95 && ratio < 1.15, `estimate / peak is ${ratio}`);
  });
});
