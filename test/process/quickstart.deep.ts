/** @file The whole quickstart: each way of tuning comes to over 90 % on the test data. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { spectune } from "../support/command-line.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

it("tunes the sample to over 90 % in three ways", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  cpSync(join(import.meta.dirname, "../../media/sample"), join(folder, "sample"), {
    recursive: true,
  });
  const { code, out, err } = await spectune(folder, "quickstart", "sample");
  assert.equal(code, 0, err);
  for (const name of ["full fine-tuning", "LoRA", "QLoRA (NF4)"]) {
    const row = out.split("\n").find((line) => line.startsWith(`${name}  `)) ?? "";
    const [, before, after, test] = /([\d.]+) % → +([\d.]+) % +([\d.]+) %/.exec(row) ?? [];
    assert.ok(Number(before) <= 2 && Number(after) > 90 && Number(test) > 90, row);
  }
});
