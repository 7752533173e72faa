/** @file What is offered at a cursor: documents with `|`, and what the first offer writes. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { analyse } from "../../../server/src/analysis.ts";
import type { CompletionItem } from "../../../server/src/completion.ts";
import { complete } from "../../../server/src/completion.ts";
import { base, world } from "./world.ts";

const folder = join(import.meta.dirname, "completion");
const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";
const shown = 12;

function offers(marked: string): readonly CompletionItem[] {
  const offset = marked.indexOf("|");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const typed = analyse({ file: `${base}/x.peft.yaml`, text }, world({ texts: { "base.peft.yaml": "" } }));
  // An editor leaves what does not begin as what is typed.
  return complete(typed, offset)
    .filter(({ label, start, from }) => fits(label, text.slice(from ?? start, offset)))
    .toSorted((a, b) => (a.rank ?? 1) - (b.rank ?? 1));
}

function fits(label: string, typed: string): boolean {
  let next = 0;
  for (const sign of label.toLowerCase()) if (sign === typed[next]?.toLowerCase()) next += 1;
  return next >= typed.length;
}

/** The document after the first offer is taken, as an editor shows its first stop. */
function taken(marked: string, { start, end, insert, from }: CompletionItem): string {
  const offset = marked.indexOf("|");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  return text.slice(0, from ?? start) + insert + text.slice(end);
}

function told(marked: string): string {
  const items = offers(marked);
  const lines = items
    .slice(0, shown)
    .map(({ label, kind, detail }) => `  ${label}  (${kind}${detail === undefined ? "" : `, ${detail}`})`);
  const [first] = items;
  return [
    marked.trimEnd(),
    ">>>>",
    ...lines,
    ...(items.length > shown ? [`  … ${items.length - shown} more`] : []),
    ...(first === undefined ? ["  nothing"] : [">>>>", taken(marked, first).trimEnd()]),
  ].join("\n");
}

describe("completion", () => {
  for (const file of globSync("*.txt", { cwd: folder, exclude: ["*.golden.txt"] }).toSorted())
    it(file, () => {
      const cases = readFileSync(join(folder, file), "utf8").split(/^----\n/m);
      const actual = `${cases.map(told).join("\n--------\n")}\n`;
      const golden = join(folder, file.replace(/\.txt$/, ".golden.txt"));
      if (update) writeFileSync(golden, actual);
      assert.equal(actual, readFileSync(golden, "utf8"));
    });

  it("says what each offered field and row is", () => {
    for (const marked of ["version: 1\n|", "model: ./base\nmethod:\n  type: |", "method:\n  type: lora\n  |"])
      for (const { label, kind, doc } of offers(marked))
        assert.ok(doc !== undefined && doc.length > 10, `${kind} ${label} has no doc`);
    const [lora] = offers("model: ./base\nmethod: lo|");
    assert.match(lora?.doc ?? "", /arxiv\.org/);
  });
});
