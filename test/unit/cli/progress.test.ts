/** @file A run's events as lines: counts are whole numbers. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { createProgress } from "../../../src/cli/progress.ts";
import type { EventBody } from "../../../src/shared/protocol.ts";

function told(event: EventBody): string {
  let text = "";
  createProgress({
    out: () => undefined,
    err: (more) => (text += more),
    ...{ cwd: "/", env: {}, interactive: false, columns: 80 },
  }).event(event);
  return text;
}

it("counts of an analysis have no decimals, its other figures have", () => {
  const metrics = { intruders: 0, matrices: 35, stableRank: 24.081 };
  assert.equal(
    told({
      type: "analysis",
      kind: "spectra",
      step: 4,
      epoch: 1,
      file: "s.json",
      metrics,
      seconds: 2,
    }),
    "spectra after step 4: intruders 0  matrices 35  stableRank 24.08  (2.0 s)\n",
  );
});
