/** @file A step tells what its methods added to the loss: all sites and entries together. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { TestContext } from "node:test";
import type { EventBody } from "../../../src/shared/protocol.ts";
import { runWorkspace } from "../../support/run-ends.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";

/** The penalty of a run's first step. */
async function penaltyOf(t: TestContext, ...modules: readonly string[]): Promise<number> {
  const entries = modules.map((name) => `{ type: adalora, target_modules: [${name}] }`);
  const text = tinyExperiment
    .replace(/^method: .*$/mu, `method: [${entries.join(", ")}]`)
    .replace("max_steps: 2", "max_steps: 1");
  const told: number[] = [];
  const onEvent = (event: EventBody): void => {
    if (event.type === "step") told.push(event.metrics?.["penalty"] ?? NaN);
  };
  await runWorkspace(makeWorkspace(t, text), { onEvent });
  assert.equal(told.length, 1);
  return told[0] ?? NaN;
}

it("the penalty of two entries is the sum of theirs", async (t) => {
  const [q, v] = [await penaltyOf(t, "q_proj"), await penaltyOf(t, "v_proj")];
  assert.ok(q > 0 && v > 0);
  const both = await penaltyOf(t, "q_proj", "v_proj");
  assert.ok(Math.abs(both - q - v) < 1e-3 * both, `${both} of ${q} and ${v}`);
});
