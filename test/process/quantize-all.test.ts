/** @file Every quantizer of the catalog from the command to a folder that is measured. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { quantizers } from "../../src/engine/catalog.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, spectune } from "../support/command-line.ts";
import { makeWorkspace } from "../support/workspace.ts";

for (const { name } of quantizers)
  it(`${name} goes through`, async (t) => {
    const folder = makeWorkspace(t);
    const outcome = await spectune(
      folder,
      ...["quantize", "model", "--compare", name, "--group", "16"],
      ...["--calibration", "train.jsonl", "--samples", "4", "--length", "32", "--json"],
    );
    assert.equal(outcome.code, 0, outcome.err);
    const { rows } = lastLine(outcome);
    assert.ok(Array.isArray(rows));
    const row: unknown = rows[1];
    assert.ok(isRecord(row) && row["failed"] === undefined, JSON.stringify(row));
    // Factors of a rank beyond such small matrices take more than the matrices.
    assert.ok(Number(row["bitsPerWeight"]) > 1 && Number(row["outputError"]) < 1);
    assert.ok(isRecord(row["perplexity"]) && Number(row["perplexity"]["value"]) > 1);
  });
