/** @file What a resumed run is told when it goes on elsewhere than it began. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { changedConditions } from "../../../../src/engine/session/same-bytes.ts";
import type { Conditions } from "../../../../src/engine/session/same-bytes.ts";

const first: Conditions = {
  host: "one",
  platform: "linux-x64",
  versions: { spectune: "0.1.0", onnxruntime: "1.30.0" },
  device: { requested: "auto", chosen: "cpu", reason: "", threads: 2 },
};

describe("the promise of the same bytes", () => {
  it("stands where machine, threads and versions are the same", () => {
    assert.equal(changedConditions(first, { ...first }), undefined);
  });

  it("names what has changed", () => {
    const changes: readonly (readonly [Partial<Conditions>, RegExp])[] = [
      [{ device: { ...first.device, threads: 8 } }, /threads 2, now 8/],
      [{ device: { ...first.device, chosen: "webgpu" } }, /device cpu, now webgpu/],
      [{ host: "two" }, /machine one, now two/],
      [{ platform: "darwin-arm64" }, /platform linux-x64, now darwin-arm64/],
      [
        { versions: { ...first.versions, onnxruntime: "1.31.0" } },
        /onnxruntime 1\.30\.0, now 1\.31\.0/,
      ],
    ];
    for (const [change, expected] of changes) {
      const finding = changedConditions(first, { ...first, ...change });
      assert.equal(finding?.severity, "warning");
      assert.match(finding.message, expected);
    }
  });
});
