/** @file `run.device: auto` on machines of every kind: a GPU that stands idle during a long run is told of. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { withAbsolutePaths } from "../../../src/engine/session/absolute-paths.ts";
import type { MachineFacts } from "../../../src/engine/session/choose-device.ts";
import { prepareRun } from "../../../src/engine/session/prepare-run.ts";
import { readExperimentFile } from "../../../src/cli/read-file.ts";
import type { EventBody } from "../../../src/shared/protocol.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";

/** Codes of what preparing the tiny experiment with so many steps tells, and the estimate. */
async function told(
  t: TestContext,
  steps: number,
  facts: MachineFacts,
): Promise<{ readonly codes: readonly string[]; readonly seconds: number | undefined }> {
  const folder = makeWorkspace(t, tinyExperiment.replace("max_steps: 2", `max_steps: ${steps}`));
  const { experiment } = await readExperimentFile("a.peft.yaml", [], folder);
  assert(experiment);
  const events: EventBody[] = [];
  const prepared = await prepareRun(
    withAbsolutePaths(experiment, folder, () => true),
    { emit: (event) => void events.push(event), facts, now: new Date(0) },
  );
  await prepared.opened.source.close();
  return {
    codes: events.flatMap((event) => (event.type === "finding" ? [event.finding.code] : [])),
    seconds: prepared.plan.estimatedSeconds,
  };
}

describe("`auto`", () => {
  const beside: MachineFacts = { gpuDriver: true, cores: 1 };

  it("warns of a run of more than ten minutes on the CPU where there is a GPU driver", async (t) => {
    // A step takes some milliseconds on the fastest machine.
    const long = await told(t, 1_000_000, beside);
    assert.ok((long.seconds ?? 0) > 600, String(long.seconds));
    assert.ok(long.codes.includes("gpu-not-used"));
  });

  it("is silent about a short run, and where there is no GPU", async (t) => {
    const short = await told(t, 2, beside);
    assert.ok((short.seconds ?? Infinity) < 600, String(short.seconds));
    assert.deepEqual(short.codes, []);
    const without = await told(t, 1_000_000, { ...beside, gpuDriver: false });
    assert.deepEqual(without.codes, []);
  });
});
