/** @file What is said about wrong files: each source with carets, and the file after all offered fixes. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { applyEdits } from "../../../src/shared/experiment/edits.ts";
import type { ExperimentFinding } from "../../../src/shared/experiment/findings.ts";
import type { Normalised } from "../../../src/shared/experiment/normalise.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";
import { expandSweep } from "../../../src/shared/experiment/sweep.ts";
import { smallCatalog } from "../../unit/shared/experiment/small-catalog.ts";
import { withCarets } from "./carets.ts";

const folder = join(import.meta.dirname, "findings");
const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";

function read(file: string, text: string): Normalised {
  const provider = (path: string) => {
    const full = join(folder, path);
    return existsSync(full) ? readFileSync(full, "utf8") : undefined;
  };
  return readExperiment({ file, text, catalog: smallCatalog, provider });
}

function findingsOf(file: string, text: string): readonly ExperimentFinding[] {
  const result = read(file, text);
  return [...result.findings, ...expandSweep(result, smallCatalog).findings];
}

/** Of a foreign file only these fixes are taken: others may change what the experiment is. */
const renaming: readonly string[] = ["foreign-name", "foreign-without-counterpart", "said-twice"];

/** Takes the first fix that is offered, until none is. */
function afterFixes(file: string, text: string): string {
  const isTaken = ({ code, fix }: ExperimentFinding) =>
    fix !== undefined && (!file.startsWith("foreign-") || renaming.includes(code));
  let current = text;
  for (let count = 0; count < 50; count += 1) {
    const fix = findingsOf(file, current).find(isTaken)?.fix;
    if (fix === undefined) return current;
    current = applyEdits(current, fix.edits);
  }
  return assert.fail("the fixes of a file do not come to an end");
}

describe("findings about wrong files", () => {
  for (const file of globSync("*.peft.yaml", { cwd: folder }).toSorted()) {
    it(file, () => {
      const text = readFileSync(join(folder, file), "utf8");
      const findings = findingsOf(file, text);
      assert.notEqual(findings.length, 0);
      const fixed = afterFixes(file, text);
      const left = findingsOf(file, fixed);
      const actual =
        withCarets(file, text, findings) +
        (fixed === text ? "" : `\n======== after all fixes\n${withCarets(file, fixed, left)}`);
      const golden = join(folder, file.replace(".peft.yaml", ".golden.txt"));
      if (update) writeFileSync(golden, actual);
      assert.equal(actual, readFileSync(golden, "utf8"));
      const { experiment } = read(file, text);
      // What is only written otherwise must stay what it was.
      if (file.startsWith("foreign-")) assert.deepEqual(read(file, fixed).experiment, experiment);
      if (file.startsWith("foreign-")) assert.notEqual(experiment, undefined);
    });
  }
});
