/** @file The service's second language is whole: every sentence that its sources can say, and every text of the goldens. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { actions } from "../../../server/src/actions.ts";
import { analyse } from "../../../server/src/analysis.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import { hints } from "../../../server/src/hints.ts";
import { hover } from "../../../server/src/hover.ts";
import { german, translatorFor } from "../../../server/src/languages.ts";
import { lenses } from "../../../server/src/lenses.ts";
import { base, world } from "../../golden/server/world.ts";
import { sentencesOf } from "./sentences-of.ts";

const root = join(import.meta.dirname, "../../..");
const { say } = translatorFor("de-AT");

/** Words that no German text has outside of backticks. */
const english =
  /\b(?:the|is|are|and|or|of|not|must|has|have|with|which|that|here|it|to|be|than|this|takes|write|remove)\b/i;

function leftInEnglish(text: string): boolean {
  const bare = say(text).replaceAll(/`[^`]*`|"[^"]*"|'[^']*'|\([^)]*\)/g, "");
  return english.test(bare);
}

function filesOf(...patterns: readonly string[]): readonly string[] {
  return patterns.flatMap((pattern) =>
    globSync(pattern, { cwd: root }).map((file) => join(root, file)),
  );
}

const sources = filesOf(
  "src/shared/experiment/**/*.ts",
  "server/src/**/*.ts",
  "src/engine/catalog-pairs.ts",
  "src/engine/methods/targets.ts",
  "src/engine/models/{registry,tensors-at-fault,tensors-left-out}.ts",
  "src/engine/models/config-reader.ts",
  "src/engine/weights/{hub-cache,locate-weights}.ts",
  "src/engine/data/{rows,examples}/*.ts",
  "src/cli/language-server/*.ts",
).filter(
  // Tables of codes and schemas are docs; what a run counts, the command line says.
  (file) => !/\/(?:german\/\w+|codes|reading-codes|json-schema|example-counts)\.ts$/.test(file),
);

/** Said by the world that the goldens' tests make up; and of a regular expression what Python would say, in its words. */
const elsewhere =
  /There is no model .* on this machine\.$|Take it from the model's page|wordless has no tokenizer|at character \d/;

/** Sentences in which `7` stands for words, or for a sentence: goldens have them whole. */
const ofWords =
  /^The rank is above 7 7|^7 Mend the row|^7 has the columns of no kind of example: 7it has 7/;

describe("in German", () => {
  it("is every sentence that the sources can say", () => {
    const sentences = sources.flatMap((file) => sentencesOf(file));
    assert.ok(sentences.length > 400, `${sentences.length} sentences`);
    assert.deepEqual(
      [...new Set(sentences)].filter((text) => !ofWords.test(text) && leftInEnglish(text)),
      [],
    );
  });

  const documents = filesOf("test/golden/{server/checks,experiment/findings}/*.peft.yaml").map(
    (file) => {
      const name = file.slice(file.lastIndexOf("/") + 1);
      const text = readFileSync(file, "utf8");
      const facts = world({ memoryBytes: name.startsWith("memory") ? 0.32e9 : 8e9 });
      const analysis = analyse({ file: `${base}/${name}`, text }, facts);
      return { text, analysis, diagnostics: diagnose(analysis) };
    },
  );

  it("is everything that the goldens' documents are told", () => {
    const texts = documents.flatMap(({ analysis, diagnostics }) => [
      ...diagnostics.flatMap(({ message, remedy, fixes }) => [
        message,
        remedy ?? "",
        ...fixes.map(({ title }) => title),
      ]),
      ...lenses(analysis).map(({ title }) => title),
      ...hints(analysis).flatMap(({ text, doc = "" }) => [text, ...doc.split("\n")]),
      ...actions(analysis, diagnostics, 0, analysis.text.length).map(({ title }) => title),
    ]);
    const said = [...new Set(texts)].filter((text) => !elsewhere.test(text));
    assert.ok(said.length > 500, `${said.length} texts`);
    assert.deepEqual(said.filter(leftInEnglish), []);
  });

  it("are the fields' own words in hovers", () => {
    const left = new Set<string>();
    for (const { text, analysis } of documents)
      for (const { index } of text.matchAll(/^ *[a-z_]+(?=:)/gm)) {
        const said = hover(analysis, index + 1)?.text ?? "";
        for (const line of said.split("\n")) if (leftInEnglish(line)) left.add(line);
      }
    // Rows of the catalog are told in English: see the README.
    assert.deepEqual(
      [...left].filter((line) => !/^- `|^\*\*/.test(line)),
      [],
    );
  });

  it("uses every part, and no other", () => {
    for (const [text, translation] of Object.entries(german.texts)) {
      const parts = (of: string): string => [...new Set(of.match(/\{\d\}/g))].toSorted().join();
      assert.equal(parts(translation), parts(text), text);
    }
  });
});
