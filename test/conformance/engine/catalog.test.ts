/** @file Every row of the catalog says what it is, in the way that help, hover and the README's table show it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { CatalogRow } from "../../../src/engine/catalog-row.ts";
import {
  activeLayers,
  catalogFields,
  initialisers,
  methods,
  optimizers,
  quantizers,
  sharings,
} from "../../../src/engine/catalog.ts";
import { learningRateSchedules } from "../../../src/engine/schedules/learning-rate.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";

const tables: Readonly<Record<string, readonly CatalogRow[]>> = {
  ...{ methods, initialisers, sharings, optimizers, activeLayers, quantizers },
};

for (const [table, rows] of Object.entries(tables))
  describe(table, () => {
    for (const row of rows)
      it(`${row.name} has a title, a sentence and a paper`, () => {
        assert.match(row.name, /^[a-z][a-z0-9_]*$/);
        assert.match(row.title, /^\S/);
        assertSentence(row.doc);
        assert.notEqual(row.doc, row.paperTitle);
        assert.match(row.paperTitle, /^\S.*\S$/);
        assert.match(row.paper, /^https:\/\/\S+$/);
        for (const field of Object.values(row.config)) assertSentence(field.doc);
        assert(row.equation && row.equation.length <= 120, `${row.name} has no equation of a line`);
        assertSentence(row.use);
      });

    it("have names of their own", () => {
      const names = rows.map(({ name }) => name);
      assert.deepEqual(names, [...new Set(names)]);
      assert(names.length > 0);
    });
  });

describe("schedules", () => {
  for (const [name, { doc }] of Object.entries(learningRateSchedules))
    it(`${name} has a sentence`, () => {
      assertSentence(doc);
    });
});

it("gives the experiment file each row's sentence", () => {
  for (const [table, variants] of [
    [methods, catalogFields.methods],
    [optimizers, catalogFields.optimizers],
    [quantizers, catalogFields.quantizers],
  ] as const)
    for (const { name, doc } of table) assert.equal(variants[name]?.doc, doc);
});

describe("the documented experiments", () => {
  const folder = join(import.meta.dirname, "../../golden/experiment/files");
  const errors: Readonly<Record<string, readonly string[]>> = {
    a: [],
    b: [],
    c: [],
  };
  for (const [name, expected] of Object.entries(errors))
    it(`${name}.peft.yaml is read`, () => {
      const provider = (path: string) => readFileSync(join(folder, path), "utf8");
      const file = `${name}.peft.yaml`;
      const { findings } = readExperiment({
        file,
        text: provider(file),
        catalog: catalogFields,
        provider,
      });
      const said = findings.filter(({ severity }) => severity === "error");
      assert.deepEqual(
        said.map(({ message }) => message),
        expected,
      );
    });
});

/** One sentence that fits a line of a table. */
function assertSentence(text: string): void {
  assert.match(text, /^[A-Z0-9βγλ√][^\n]*\.$/);
  assert(text.length <= 160, text);
}
