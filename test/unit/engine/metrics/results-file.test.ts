/** @file Per-example results survive the file; damage is named by line. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import {
  readResults,
  resultsPath,
  writeResults,
} from "../../../../src/engine/metrics/results-file.ts";
import { scratch } from "../runs/scratch.ts";

describe("per-example results", () => {
  it("come back as they were written, more lines than one write takes, numbers that JSON lacks too", async (t) => {
    const path = join(scratch(t), resultsPath({ split: "test", moment: "after" }));
    const results = Array.from({ length: 600 }, (_, index) => ({
      index,
      targets: { count: 2, loss: index === 3 ? Infinity : index / 7, hits: 1 },
      label: { truth: 1, prediction: 0.25 },
      completion: { generated: `a\n"${index}" \u2028`, expected: "é" },
      scores: { loss: NaN },
    }));
    await writeResults(path, results);
    assert.deepEqual(await readResults(path), { value: results, findings: [] });
    assert.equal(readFileSync(path, "utf8").split("\n").length, 601);
    await writeResults(path, [{ index: 0 }]);
    assert.deepEqual((await readResults(path)).value, [{ index: 0 }]);
    assert.deepEqual(readdirSync(dirname(path)), ["test-after.ndjson"]);
  });

  it("leave nothing behind where they cannot be made", async (t) => {
    const path = join(scratch(t), "results/eval-before.ndjson");
    function* failing() {
      yield { index: 0 };
      throw new Error("no more");
    }
    await assert.rejects(writeResults(path, failing()), /no more/);
    assert.deepEqual(readdirSync(dirname(path)), []);
  });

  it("name the lines that are damaged, and give the others", async (t) => {
    const path = join(scratch(t), "results/test-after.ndjson");
    await writeResults(path, [{ index: 0 }, { index: 1 }]);
    appendFileSync(
      path,
      '{"index":-1}\nnot JSON\n{"index":2}\n{"index":3,"targets":{"count":1}}\n{"index":4',
    );
    const { value, findings } = await readResults(path);
    assert.deepEqual(value, [{ index: 0 }, { index: 1 }, { index: 2 }]);
    assert.deepEqual(
      findings.map(({ place }) => place?.line),
      [3, 4, 6],
    );
  });
});
