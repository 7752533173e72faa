/** @file Verdicts proved again by sixty lines of NumPy, from the JSON alone; where `SPECTUNE_PYTHON` names a Python that has it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { intruderDefaults } from "../../../src/engine/analyze/finding.ts";
import { intruders } from "../../../src/engine/analyze/intruders.ts";
import type { MatrixIntrudersRecord } from "../../../src/shared/intruder-records.ts";
import { pairOf, sample } from "../../unit/engine/analyze/families.ts";
import { makeLinalg, random, withSingularValues } from "../../unit/kernels/linalg/matrices.ts";

const python = process.env["SPECTUNE_PYTHON"];
const script = join(import.meta.dirname, "prove_verdicts.py");

describe("verdicts, proved again by NumPy", { skip: python === undefined }, () => {
  it("hold as they are, and not with a number changed", async () => {
    const linalg = await makeLinalg();
    const options = { ...intruderDefaults, k: 6, exactBelow: 0 };
    const records: MatrixIntrudersRecord[] = [];
    for (const family of ["square", "tall", "wide", "clusters"] as const)
      for (const seed of [2, 3, 10, 11])
        records.push(
          await intruders({ tools: { linalg }, now: () => 0 }, sample(family, seed).pair, options),
        );
    const kinds = new Set(records.flatMap(({ vectors }) => vectors.map(({ proof }) => proof.kind)));
    assert.ok(kinds.has("lanczos") && kinds.has("witness"), [...kinds].join());
    const good = run(records);
    assert.equal(good.status, 0, good.stderr);

    const spoilt = JSON.stringify(records).replace(/"startNorm":[^,]+/u, '"startNorm":3');
    const bad = run(JSON.parse(spoilt));
    assert.equal(bad.status, 1, "a longer start vector proves nothing");
    const believed = JSON.stringify(records).replace(/"gapFrom":"inertia"/u, '"gapFrom":"ritz"');
    assert.equal(run(JSON.parse(believed)).status, 1, "Ritz values prove no gap");

    // Values that no block's norm parts.
    const slow = Array.from({ length: 200 }, (_, i) => 10 * 0.99 ** i);
    const base = withSingularValues(200, 240, slow, 8);
    const factor = { B: random(200, 3, 5), A: random(3, 240, 6), scale: 0.63 };
    const pair = pairOf(base, { kind: "factors", factors: [factor] });
    const unproved = { ...options, formBelow: 0, countBelow: 0 };
    const likely = run([await intruders({ tools: { linalg }, now: () => 0 }, pair, unproved)]);
    assert.deepEqual([likely.status, likely.stdout.trim()], [0, '{"likely": 6}']);
  });
});

function run(records: unknown) {
  const folder = mkdtempSync(join(tmpdir(), "verdicts-"));
  const file = join(folder, "records.json");
  writeFileSync(file, JSON.stringify({ matrices: records }));
  const ended = spawnSync(python ?? "", [script, file], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  return ended;
}
