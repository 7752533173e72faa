/** @file `spectune quantize` that is interrupted or killed: the same command goes on, to the same bytes. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startSpectune } from "../support/command-line.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const sample = join(import.meta.dirname, "../../media/sample");
const args = [
  ...["quantize", join(sample, "base"), "--type", "gptq", "--group", "32"],
  ...["--calibration", join(sample, "data/general.txt"), "--samples", "8", "--length", "256"],
] as const;

describe("quantizing goes on", () => {
  for (const signal of ["SIGINT", "SIGKILL"] as const)
    it(`after ${signal}`, async (t) => {
      const folder = scratch(t);
      const whole = await startSpectune(t, folder, ...args, "--out", "whole").end;
      assert.equal(whole.code, 0, whole.err);

      const ended = startSpectune(t, folder, ...args, "--out", "q");
      ended.process.stderr?.on("data", (text: Buffer) => {
        if (text.includes("layer 3/")) ended.process.kill(signal);
      });
      const first = await ended.end;
      assert.equal(first.code, signal, first.err);
      assert.ok(!existsSync(join(folder, "q")));
      if (signal === "SIGINT")
        assert.match(first.err, /What is done is kept in .*q\.part: the same command goes on/u);

      const again = await startSpectune(t, folder, ...args, "--out", "q").end;
      assert.equal(again.code, 0, again.err);
      assert.match(again.err, /^layer 3\/5$/mu);
      assert.doesNotMatch(again.err, /layer [12]\//u);
      assert.ok(!existsSync(join(folder, "q.part")));
      const bytes = (name: string) => readFileSync(join(folder, name, "model.safetensors"));
      assert.ok(bytes("q").equals(bytes("whole")));
    });

  it("and leaves nothing of what had no layer done", async (t) => {
    const folder = scratch(t);
    const made = startSpectune(t, folder, ...args, "--out", "q");
    made.process.stderr?.on("data", (text: Buffer) => {
      if (text.includes("layer 1/")) made.process.kill("SIGTERM");
    });
    assert.equal((await made.end).code, "SIGTERM");
    assert.ok(!existsSync(join(folder, "q")) && !existsSync(join(folder, "q.part")));
  });
});
