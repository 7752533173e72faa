/** @file Severities as editors send them, and what they do. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { analyse } from "../../../server/src/analysis.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import { readSeverities } from "../../../server/src/severities.ts";
import { base, world } from "../../golden/server/world.ts";

describe("severities", () => {
  const wanted = new Map([["few-steps", "off"]]);

  it("are read from whole settings, from the section, or from the map itself", () => {
    const severity = { "few-steps": "off" };
    for (const sent of [
      severity,
      { severity },
      { checks: { severity } },
      { spectune: { checks: { severity } } },
    ])
      assert.deepEqual(readSeverities(sent), wanted);
  });

  it("leave out what is none", () => {
    assert.deepEqual(readSeverities({ severity: { a: 3, b: "loud", "few-steps": "off" } }), wanted);
    for (const sent of [undefined, null, 5, "off", []]) assert.equal(readSeverities(sent).size, 0);
  });

  it("change what a code is told as, or silence it", () => {
    const text =
      "version: 1\nmodel: ./base\ndata: { train: ./train.jsonl }\nmethod: { type: lora, target_modules: [q_proj] }\n";
    const analysis = analyse({ file: `${base}/x.peft.yaml`, text }, world());
    const told = (said: string) =>
      diagnose(analysis, readSeverities({ "attention-only-targets": said })).map(
        ({ severity }) => severity,
      );
    assert.deepEqual(told("warning"), ["warning"]);
    assert.deepEqual(told("off"), []);
  });
});
