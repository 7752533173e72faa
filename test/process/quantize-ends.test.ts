/** @file `spectune quantize` that is interrupted or killed: the same command goes on, to the same bytes. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
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

describe("a comparison that is ended", () => {
  const compare = ["quantize", join(sample, "base"), "--compare"] as const;
  const left = (folder: string): readonly string[] => {
    const analyses = join(folder, ".spectune/analysis/base");
    return existsSync(analyses) ? readdirSync(analyses) : [];
  };

  for (const signal of ["SIGINT", "SIGKILL"] as const)
    it(`leaves nothing after ${signal}${signal === "SIGKILL" ? " and another" : ""}`, async (t) => {
      const folder = scratch(t);
      // Nothing above it is asked for a folder of runs.
      mkdirSync(join(folder, ".git"));
      const ended = startSpectune(
        t,
        folder,
        ...[...compare, "gptq:4:32"],
        ...["--calibration", join(sample, "data/general.txt"), "--samples", "8", "--length", "256"],
      );
      // As soon as there is something of it.
      const looking = setInterval(() => {
        if (left(folder).length > 0) ended.process.kill(signal);
      }, 20);
      t.after(() => {
        clearInterval(looking);
      });
      const { code, err } = await ended.end;
      clearInterval(looking);
      assert.equal(code, signal, err);
      if (signal === "SIGKILL") {
        assert.equal(left(folder).length, 1);
        assert.equal((await startSpectune(t, folder, ...compare, "nf4").end).code, 0);
        assert.match(left(folder).join(), /^quantize-\w+\.json$/u);
      } else {
        assert.match(err, /Ended; nothing is kept/u);
        assert.deepEqual(left(folder), []);
      }
    });
});
