/** @file The weight formula gives the bits that `deterministic.py` gives. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isRecord } from "../../src/shared/wire.ts";
import { filled } from "./deterministic.ts";
import { isFill, isNumbers } from "./models/fixture.ts";

const path = join(import.meta.dirname, "fixtures", "deterministic.json");
const json: unknown = JSON.parse(readFileSync(path, "utf8"));
assert(isRecord(json) && Array.isArray(json["cases"]) && isRecord(json["far"]));
const cases: readonly unknown[] = json["cases"];
const far = json["far"];

for (const row of cases) {
  assert(isRecord(row) && isFill(row) && isNumbers(row["values"]));
  const expected = row["values"];
  test(`the elements of “${row.name}”`, () => {
    // Nine digits name a float32 uniquely, so rounding them gives its bits.
    assert.deepEqual([...filled(row)], expected.map(Math.fround));
  });
}

test("far elements and their sum", () => {
  assert(isNumbers(far["last"]));
  const values = filled({ name: "far", shape: [200000], scale: 1, offset: 0 });
  assert.deepEqual([...values.slice(-4)], far["last"].map(Math.fround));
  assert.equal(
    values.reduce((sum, value) => sum + value, 0),
    far["sum"],
  );
});
