/** @file The table of intruder dimensions: columns that say something, each explained in the command's help. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { intrudersCommand } from "../../../src/cli/commands/intruders.ts";
import { commandHelp } from "../../../src/cli/help.ts";
import { intrudersTable } from "../../../src/cli/intruders-text.ts";
import type { MatrixIntrudersRecord } from "../../../src/shared/intruder-records.ts";

const record: MatrixIntrudersRecord = {
  ...{ name: "layers.0.q_proj.weight", module: "q_proj", layer: 0, out: 64, in: 64 },
  ...{ baseHash: "0", tunedHash: "1", baseDtype: "F32", reference: "base", epsilon: 0.5, k: 10 },
  ...{ stage: "verdicts", count: 1, undecided: 0, basisDependent: 0, energy: 0.125, vectors: [] },
  ...{ leftOut: 0, noiseFloor: 0.316, seconds: 0 },
};

const titles = (records: readonly MatrixIntrudersRecord[]): readonly string[] =>
  (intrudersTable(records).split("\n")[0] ?? "").split(/ {2,}/u);

it("columns that no matrix fills are left out", () => {
  assert.deepEqual(titles([record]), ["matrix", "out×in", "intruders", "energy", "noise floor"]);
  assert(titles([record, { ...record, undecided: 2 }]).includes("undecided"));
  assert(!titles([record, { ...record, undecided: 2 }]).includes("basis-dependent"));
});

it("the help says what each column but name and size is", () => {
  const filled = titles([{ ...record, undecided: 1, basisDependent: 1 }]);
  const help = commandHelp(intrudersCommand);
  for (const title of filled.slice(2)) assert(help.includes(`\n  ${title} `), title);
  assert.match(help, /\nIts table:\n {2}intruders {8}of the vectors/u);
});
