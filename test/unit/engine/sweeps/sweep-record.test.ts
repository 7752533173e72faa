/** @file The record of a sweep: what is written comes back, and damage is named. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  createSweep,
  findSweep,
  listSweeps,
  loadRecord,
} from "../../../../src/engine/sweeps/sweep-folder.ts";
import {
  decodeRecord,
  encodeRecord,
  newRecord,
  withRun,
} from "../../../../src/engine/sweeps/sweep-record.ts";
import { UserError } from "../../../../src/shared/errors.ts";
import { expandSweep } from "../../../../src/shared/experiment/sweep.ts";
import { smallCatalog } from "../../shared/experiment/small-catalog.ts";
import { scratch } from "../runs/scratch.ts";
import { readSweep } from "./read-document.ts";

function example() {
  const { value } = expandSweep(
    readSweep("{ grid: { method.init: [default, { type: pissa, niter: 4 }] } }"),
    smallCatalog,
  );
  assert.ok(value !== undefined);
  const record = newRecord({ name: "a b", folder: "/work", created: 1_770_127_509_123 }, value);
  return withRun(record, 1, {
    state: "finished",
    run: "r",
    metrics: { "eval.loss": NaN },
    error: { code: "c", message: "m" },
  });
}

describe("a sweep's record", () => {
  it("comes back as it was written", () => {
    assert.deepEqual(decodeRecord(encodeRecord(example())), example());
  });

  it("that is damaged, newer or torn is named", () => {
    const text = encodeRecord(example());
    for (const bad of [
      "",
      "[]",
      text.slice(0, -20),
      text.replace('"version": 1', '"version": 2'),
      text.replace('"finished"', '"done"'),
      text.replace('"point": 1', '"point": 9'),
    ])
      assert.ok("problem" in decodeRecord(bad), bad.slice(0, 40));
  });
});

describe("sweep folders", () => {
  it("have names of their own, and are found by a part of the name", async (t) => {
    const spectune = join(scratch(t), ".spectune");
    const first = await createSweep(spectune, example(), "");
    const second = await createSweep(spectune, example(), "");
    assert.deepEqual(await listSweeps(spectune), [
      "20260203-140509-123-a-b-2",
      "20260203-140509-123-a-b",
    ]);
    assert.equal(await findSweep("20260203-140509-123-a-b", spectune, "/"), first);
    assert.equal(await findSweep("b-2", spectune, "/"), second);
    assert.equal(await findSweep(first, spectune, "/"), first);
    assert.equal(await findSweep("other", spectune, "/"), undefined);
    await assert.rejects(
      findSweep("140509", spectune, "/"),
      (error) => error instanceof UserError && error.code === "ambiguous-sweep",
    );
  });

  it("without a record are none", async (t) => {
    const spectune = scratch(t);
    mkdirSync(join(spectune, "sweeps", "torn"), { recursive: true });
    assert.deepEqual(await listSweeps(spectune), []);
    writeFileSync(join(spectune, "sweeps", "torn", "sweep.json"), "{");
    await assert.rejects(
      loadRecord(join(spectune, "sweeps", "torn")),
      (error) => error instanceof UserError && error.code === "damaged-sweep",
    );
  });
});
