/**
 * @file Trains small models with many kinds of adapters and writes, for `check_exports.py`, a folder for each:
 * `base/`, `adapter/`, `merged/` and `input.json` with our logits.
 *
 *     node test/reference/peft/export-adapters.ts FOLDER
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { exportCase } from "./export-case.ts";
import { exportCases } from "./export-cases.ts";

const [folder] = process.argv.slice(2);
assert(folder, "say where the folders go");
for (const [name, exported] of Object.entries(exportCases))
  await exportCase(join(folder, name), exported);
