/** @file What is said under a cursor: documents with `|`. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { analyse } from "../../../server/src/analysis.ts";
import { hover } from "../../../server/src/hover.ts";
import { withMarks } from "./shown.ts";
import { base, world } from "./world.ts";

const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";

function told(marked: string): string {
  const offset = marked.indexOf("|");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const said = hover(analyse({ file: `${base}/x.peft.yaml`, text }, world()), offset);
  if (said === undefined) return `${marked.trimEnd()}\n>>>> nothing`;
  const shown = withMarks(text.trimEnd(), [{ start: said.start, end: said.end, text: "" }]);
  return `${shown.replaceAll(/ +$/gm, "")}\n>>>>\n${said.text}`;
}

describe("hover", () => {
  it("says what stands under the cursor", () => {
    const cases = readFileSync(join(import.meta.dirname, "hover.txt"), "utf8").split(/^----\n/m);
    const actual = `${cases.map(told).join("\n--------\n")}\n`;
    const golden = join(import.meta.dirname, "hover.golden.txt");
    if (update) writeFileSync(golden, actual);
    assert.equal(actual, readFileSync(golden, "utf8"));
  });
});
