/** @file Damages experiment files by seed, and reads what comes out in every way there is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applyEdits } from "../../../../src/shared/experiment/edits.ts";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";
import { serialise } from "../../../../src/shared/experiment/serialise.ts";
import { expandSweep } from "../../../../src/shared/experiment/sweep.ts";
import { smallCatalog } from "./small-catalog.ts";

const golden = join(import.meta.dirname, "../../../golden/experiment");
/** Right and wrong files to begin with. */
export const corpus: readonly string[] = [
  "files/a",
  "files/b",
  "files/c",
  "findings/foreign-transformers",
  "findings/expressions",
  "findings/sweep",
  "findings/anchors",
].map((name) => readFileSync(join(golden, `${name}.peft.yaml`), "utf8"));
const pieces = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ": ",
  "- ",
  "\n",
  "\n  ",
  "\t",
  "'",
  '"',
  "#",
  "&a ",
  "*a",
  "<<: *a",
  "!t ",
  "|",
  ">",
  "? ",
  "= r",
  "2r",
  "null",
  "~",
  "-1",
  "1e999",
  ".nan",
  "50 steps",
  "method",
  "type: lora",
  "__proto__: 1",
  "extends: a.peft.yaml",
  "sweep:",
  "\u0000",
  "\ud800",
  "--- ",
  "%YAML 9\n",
];

/** Reads a text, expands its sweep, writes it out again, and takes one of the fixes. */
export function exercise(text: string, pick: (count: number) => number): void {
  const provider = (path: string) => (path === "a.peft.yaml" ? corpus[0] : undefined);
  const result = readExperiment({ file: "x.peft.yaml", text, catalog: smallCatalog, provider });
  const { experiment, findings } = result;
  for (const { place, fix } of findings) {
    assert.ok(place.line >= 1 && place.column >= 1 && place.offset <= place.endOffset);
    for (const { file, start, end } of fix?.edits ?? [])
      assert.ok(start >= 0 && start <= end && (file !== "x.peft.yaml" || end <= text.length));
  }
  expandSweep(result, smallCatalog);
  if (experiment === undefined)
    assert.ok(
      findings.some(({ severity }) => severity === "error"),
      "nothing said why",
    );
  else {
    const again = readExperiment({
      file: "y",
      text: serialise(experiment, smallCatalog),
      catalog: smallCatalog,
    });
    assert.deepEqual(again.experiment, experiment);
  }
  const fixes = findings.flatMap(({ fix }) => (fix === undefined ? [] : [fix]));
  const fix = fixes[pick(Math.max(fixes.length, 1))];
  if (fix !== undefined) applyEdits(text, fix.edits);
}

/** The text with a few cuts, insertions, repetitions and moved lines. */
export function damaged(text: string, pick: (count: number) => number): string {
  let result = text;
  for (let times = 1 + pick(4); times > 0; times -= 1) {
    const from = pick(result.length + 1);
    const to = Math.min(result.length, from + pick(30));
    const kinds = [
      () => result.slice(0, from) + result.slice(to),
      () => result.slice(0, from) + (pieces[pick(pieces.length)] ?? "") + result.slice(from),
      () => result.slice(0, from) + (pieces[pick(pieces.length)] ?? "") + result.slice(to),
      () => result.slice(0, to) + result.slice(from, to) + result.slice(to),
      () => result.slice(0, from),
      () => {
        const lines = result.split("\n");
        const [line = ""] = lines.splice(pick(lines.length), 1);
        lines.splice(pick(lines.length + 1), 0, line);
        return lines.join("\n");
      },
    ];
    result = kinds[pick(kinds.length)]?.() ?? result;
  }
  return result;
}
