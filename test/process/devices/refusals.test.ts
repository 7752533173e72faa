/** @file Devices through the command line: what is not there is refused with its remedy, what is chosen is said. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lastLine, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";

/** Names as messages have them, for devices whose hardware or libraries test machines do not have. */
const absent = { cuda: "CUDA", dml: "DirectML", coreml: "CoreML" } as const;

describe("a device that is not there", () => {
  for (const [device, name] of Object.entries(absent))
    it(`is refused by name: ${device}`, async (t) => {
      const folder = makeWorkspace(t);
      const set = `run.device=${device}`;
      const { code, err, out } = await spectune(folder, "run", "a.peft.yaml", "--set", set);
      assert.equal(code, 2, err);
      assert.equal(out, "");
      assert.match(err, new RegExp(`error: .*${name}.*\\[device-not-(in-build|found)\\]`, "u"));
      assert.match(err, /^ {2}.*run\.device.*(auto|cpu)/mu);
      assert.equal(existsSync(join(folder, ".spectune/runs")), false);
    });

  it("is shown at its place in the file", async (t) => {
    const device = process.platform === "darwin" ? "dml" : "coreml";
    const folder = makeWorkspace(t, tinyExperiment.replace("threads: 1", `device: ${device}`));
    for (const command of ["check", "run"]) {
      const { code, out, err } = await spectune(folder, command, "a.peft.yaml");
      assert.equal(code, 2);
      assert.match(`${out}${err}`, /a\.peft\.yaml:7:16: error: .*\[device-not-in-build\]/u);
    }
  });
});

describe("an arithmetic that the device does not have", () => {
  // One verdict: whoever pastes `bf16: true` learns the same from each command, and may go on.
  for (const command of ["check", "plan", "run"])
    it(`is a warning of ${command}, which goes on`, async (t) => {
      const folder = makeWorkspace(
        t,
        tinyExperiment.replace("max_steps: 2", "max_steps: 2, compute_dtype: float16"),
      );
      const { code, out, err } = await spectune(folder, command, "a.peft.yaml");
      assert.equal(code, 0, err);
      const told = `${out}${err}`;
      assert.match(told, /a\.peft\.yaml:5:39: warning: .*float32 here, not float16/u);
      assert.doesNotMatch(told, /error/u);
    });
});

describe("the device of a run", () => {
  it("is said with the reason, by the plan and by the run", async (t) => {
    const folder = makeWorkspace(t);
    const plan = await spectune(folder, "plan", "a.peft.yaml");
    assert.match(plan.out, /^time +about \d/mu);
    assert.match(plan.out, /^device +cpu \(auto\), 1 threads?\. .*GPU driver/mu);
    const json = lastLine(await spectune(folder, "plan", "a.peft.yaml", "--json"));
    assert.match(JSON.stringify(json["device"]), /"requested":"auto","chosen":"cpu"/u);
    const run = await spectune(folder, "run", "a.peft.yaml");
    assert.match(run.err, /on cpu\b.*GPU driver/u);
  });
});
