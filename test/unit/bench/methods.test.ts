/** @file The recorded benchmark of methods is whole, and says why a row lies outside LoRA's interval. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
import { learningRates, seeds } from "../../bench/methods.ts";
import { benchRows, reference } from "../../bench/methods/rows.ts";

const recorded = join(import.meta.dirname, "../../bench/results/methods.json");
const report: unknown = JSON.parse(readFileSync(recorded, "utf8"));
const result = isRecord(report) && isRecord(report["result"]) ? report["result"] : {};
const rows = new Map(
  (Array.isArray(result["rows"]) ? result["rows"] : [])
    .filter(isRecord)
    .map((row) => [String(row["name"]), row]),
);
const scoreOf = (name: string): Readonly<Record<string, unknown>> => {
  const score = rows.get(name)?.["score"];
  return isRecord(score) ? score : {};
};

test("every row that tunes a model was trained at all rates with all seeds, or is refused with a reason", () => {
  for (const { name } of benchRows) {
    const row = rows.get(name);
    assert.ok(row, name);
    if (typeof row["refused"] === "string") continue;
    assert.equal(row["runs"], learningRates.length * seeds.length, name);
  }
});

test("a row whose mean lies outside LoRA's interval has a sentence why", () => {
  const interval = scoreOf(reference)["interval"];
  assert.ok(isRecord(interval));
  const [low, high] = [Number(interval["low"]), Number(interval["high"])];
  assert.ok(low < high);
  for (const [name, row] of rows) {
    const mean = Number(scoreOf(name)["mean"]);
    const isOutside = mean < low || mean > high;
    assert.equal(typeof row["why"] === "string", isOutside, `${name}: ${String(mean)}`);
  }
});
