/** @file Methods, starts and update rules against PyTorch: ten losses from one start, and the logits after them. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { measured } from "../../../src/engine/catalog-evidence.ts";
import { listedRows } from "../../../src/engine/catalog-list.ts";
import { compared } from "./compare.ts";
import { fixtureNames, loadMethodFixture } from "./fixture.ts";
import { subjectOf } from "./subject.ts";
import { runFixture } from "./run-fixture.ts";

/** As it is promised for ten losses. */
const lossLimit = 1e-3;
/** Ten steps of Adam carry rounding of gradients near zero into weights. */
const logitsLimit = 5e-3;

describe("equals PyTorch over ten steps", () => {
  let backend: Backend;
  before(async () => {
    backend = await createOrtBackend({ device: "cpu", threads: 1 });
  });

  for (const name of fixtureNames())
    it(name, async (t) => {
      const fixture = loadMethodFixture(name);
      const errors = compared(await runFixture(fixture, backend), fixture);
      const text = `losses ${errors.losses.toExponential(1)}, logits ${errors.logits.toExponential(1)}`;
      t.diagnostic(`${name}: ${text}`);
      assert(errors.losses <= lossLimit && errors.logits <= logitsLimit, text);
    });
});

it("shows in the catalog what the fixtures say, and of no other row", () => {
  const subjects = fixtureNames().map((name) => subjectOf(loadMethodFixture(name)));
  assert.deepEqual(Object.keys(measured).toSorted(), [...new Set(subjects)].toSorted());
  const rows = new Map(listedRows().map((row) => [`${row.kind} ${row.name}`, row]));
  for (const [subject, { losses, logits, adapter = 0 }] of Object.entries(measured)) {
    assert(rows.get(subject)?.evidence.includes("reference"), subject);
    assert(losses <= lossLimit && logits <= logitsLimit && adapter <= 1e-4, subject);
  }
});
