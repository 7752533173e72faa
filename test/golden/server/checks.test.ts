/** @file What each check says: documents with carets, and the document after the first fix of each. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { analyse } from "../../../server/src/analysis.ts";
import { checkTable, codes } from "../../../server/src/codes.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import { applyEdits } from "../../../src/shared/experiment/edits.ts";
import { described, withMarks } from "./shown.ts";
import { base, world } from "./world.ts";

const folder = join(import.meta.dirname, "checks");
const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";

/** What one of the documents extends. */
const extended = `model: ./base
data: { train: ./train.jsonl }
method: { type: lora, r: 8, target_modules: [q_projj, up_proj] }
`;

function diagnosticsOf(name: string, text: string) {
  // A file of little memory is named so.
  const facts = world({
    memoryBytes: name.startsWith("memory") ? 0.32e9 : 8e9,
    texts: { "base.peft.yaml": extended },
  });
  return diagnose(analyse({ file: `${base}/${name}`, text }, facts));
}

const files = globSync("*.peft.yaml", { cwd: folder }).toSorted();
const seen = new Map<string, boolean>();

describe("checks", () => {
  for (const file of files)
    it(file, () => {
      const text = readFileSync(join(folder, file), "utf8");
      const diagnostics = diagnosticsOf(file, text);
      for (const { code, fixes } of diagnostics)
        seen.set(code, fixes.length > 0 || seen.get(code) === true);
      const marks = diagnostics.map((each) => ({ ...each, text: described(each) }));
      const fixed = diagnostics.flatMap((diagnostic) => {
        const [first] = diagnostic.fixes;
        if (first === undefined) return [];
        const after = applyEdits(text, first.edits);
        const gone = !diagnosticsOf(file, after).some(
          ({ code, message }) => code === diagnostic.code && message === diagnostic.message,
        );
        return [`======== ${diagnostic.code}: ${first.title}${gone ? "" : " (still there)"}\n${after}`];
      });
      const actual = [withMarks(text, marks), ...fixed].join("\n");
      const golden = join(folder, file.replace(".peft.yaml", ".golden.txt"));
      if (update) writeFileSync(golden, actual);
      assert.equal(actual, readFileSync(golden, "utf8"));
    });

  it("are each shown by one of the files", () => {
    const missing = codes.filter(({ code, by }) => by !== "text" && !seen.has(code));
    assert.deepEqual(missing.map(({ code }) => code), []);
  });

  it("have codes of their own, and sentences that say why", () => {
    assert.equal(new Set(codes.map(({ code }) => code)).size, codes.length);
    for (const { code, doc } of codes) {
      assert.match(code, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      assert.match(doc, /^[A-Z`].*\.$/s);
    }
    assert.ok(codes.filter(({ by }) => by !== "text").length >= 35);
  });

  it("stand in the table of checks", () => {
    const file = join(import.meta.dirname, "../../../server/CHECKS.md");
    assert.equal(readFileSync(file, "utf8"), checkTable());
  });
});
