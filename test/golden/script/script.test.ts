/** @file Experiments as Python scripts. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { catalogFields } from "../../../src/engine/catalog.ts";
import { pythonScript } from "../../../src/engine/exports/script.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";

const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";

describe("an experiment as a script", () => {
  for (const file of globSync("*.peft.yaml", { cwd: import.meta.dirname }).toSorted())
    it(file, () => {
      const text = readFileSync(join(import.meta.dirname, file), "utf8");
      const { experiment, findings } = readExperiment({ file, text, catalog: catalogFields });
      const errors = findings.filter(({ severity }) => severity === "error");
      assert(experiment && errors.length === 0, JSON.stringify(errors));
      const golden = join(import.meta.dirname, file.replace(/\.peft\.yaml$/, ".golden.py"));
      const actual = pythonScript(experiment);
      if (update) writeFileSync(golden, actual);
      assert.equal(actual, readFileSync(golden, "utf8"));
    });
});
