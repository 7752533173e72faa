/** @file Hints, lenses, links, outline, folding, formatting, actions and conversion, as a person reads them. */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { actions } from "../../../server/src/actions.ts";
import type { Analysis } from "../../../server/src/analysis.ts";
import { analyse } from "../../../server/src/analysis.ts";
import { convertForeign } from "../../../server/src/convert.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import { formatText } from "../../../server/src/format.ts";
import { hints } from "../../../server/src/hints.ts";
import { lenses } from "../../../server/src/lenses.ts";
import { links } from "../../../server/src/links.ts";
import type { Symbol } from "../../../server/src/outline.ts";
import { folds, outline } from "../../../server/src/outline.ts";
import { catalogFields } from "../../../src/engine/catalog.ts";
import { applyEdits } from "../../../src/shared/experiment/edits.ts";
import { withMarks } from "./shown.ts";
import { base, world } from "./world.ts";

const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";

/** A configuration of peft lies beside the documents. */
const adapter = readFileSync(join(import.meta.dirname, "convert/adapter_config.json"), "utf8");

function open(text: string): Analysis {
  return analyse({ file: `${base}/x.peft.yaml`, text }, world({ texts: { "adapter_config.json": adapter } }));
}

function same(name: string, actual: string): void {
  const golden = join(import.meta.dirname, name);
  if (update) writeFileSync(golden, actual);
  assert.equal(actual, readFileSync(golden, "utf8"));
}

function casesOf(name: string): readonly string[] {
  return readFileSync(join(import.meta.dirname, name), "utf8").split(/^----\n/m);
}

/** The text with each hint in angle brackets at its place. */
function withHints(text: string): string {
  const edits = hints(open(text)).map(({ offset, text: said }) => ({
    file: "",
    start: offset,
    end: offset,
    text: `‹${said}›`,
  }));
  return applyEdits(text, edits).trimEnd();
}

describe("hints", () => {
  it("stand beside what they follow from", () => {
    same("hints.golden.txt", `${casesOf("hints.txt").map(withHints).join("\n--------\n")}\n`);
  });
});

const whole = readFileSync(join(import.meta.dirname, "whole.peft.yaml"), "utf8");

describe("a whole document", () => {
  it("has lenses", () => {
    const marks = lenses(open(whole)).map(({ start, end, title, command }) => ({
      start,
      end,
      text: `${title} (${command})`,
    }));
    same("lenses.golden.txt", withMarks(whole, marks));
  });

  it("has links", () => {
    const marks = links(open(whole)).map(({ start, end, target }) => ({
      start,
      end,
      text: "file" in target ? target.file : target.page,
    }));
    same("links.golden.txt", withMarks(whole, marks));
  });

  it("has an outline and folds", () => {
    const analysis = open(whole);
    const lines = (symbols: readonly Symbol[], depth: number): readonly string[] =>
      symbols.flatMap(({ name, kind, detail, children }) => [
        `${"  ".repeat(depth)}${name} (${kind})${detail === "" ? "" : ` ${detail}`}`,
        ...lines(children, depth + 1),
      ]);
    const folded = folds(analysis).map(
      ({ startLine, endLine, kind }) => `${startLine + 1}–${endLine + 1} ${kind}`,
    );
    same("outline.golden.txt", [...lines(outline(analysis), 0), "--------", ...folded, ""].join("\n"));
  });
});

describe("formatting", () => {
  for (const file of globSync("*.yaml", { cwd: join(import.meta.dirname, "format"), exclude: ["*.golden.yaml"] }).toSorted())
    it(file, () => {
      const text = readFileSync(join(import.meta.dirname, "format", file), "utf8");
      const formatted = formatText(text);
      same(join("format", file.replace(/\.yaml$/, ".golden.yaml")), formatted);
      assert.equal(formatText(formatted), formatted, "formatting twice is formatting once");
    });
});

describe("actions", () => {
  it("are offered at a cursor", () => {
    const told = casesOf("actions.txt").map((marked) => {
      const offset = marked.indexOf("|");
      const text = marked.slice(0, offset) + marked.slice(offset + 1);
      const analysis = open(text);
      const offered = actions(analysis, diagnose(analysis), offset, offset).map(
        ({ title, kind, edits }) => `>>>> ${title} (${kind})\n${applyEdits(text, edits).trimEnd()}`,
      );
      return [marked.trimEnd(), ...offered].join("\n");
    });
    same("actions.golden.txt", `${told.join("\n--------\n")}\n`);
  });
});

describe("conversion", () => {
  for (const file of globSync("*.{json,yaml}", { cwd: join(import.meta.dirname, "convert"), exclude: ["*.golden.yaml"] }).toSorted())
    it(file, () => {
      const text = readFileSync(join(import.meta.dirname, "convert", file), "utf8");
      const { text: converted, notCarried } = convertForeign(file, text, catalogFields);
      same(join("convert", `${file.replace(/\.\w+$/, "")}.golden.yaml`), converted);
      const errors = diagnose(open(converted)).filter(
        ({ severity, code }) => severity === "error" && !/missing|not-found|match/.test(code),
      );
      assert.deepEqual(errors.map(({ message }) => message), []);
      for (const { field } of notCarried) assert.ok(converted.includes(`# Not carried over: ${field}`));
    });
});
