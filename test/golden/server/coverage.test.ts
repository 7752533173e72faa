/** @file Nothing of the service is without a golden: each code, each fix, each kind of completion and of action. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { excludedCodes } from "../../../src/engine/catalog-pairs.ts";
import { codes } from "../../../server/src/codes.ts";
import { suggestionKinds } from "../../../server/src/complete/suggestion.ts";

const root = join(import.meta.dirname, "../../..");

function textOf(pattern: string): string {
  return globSync(pattern, { cwd: root })
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n");
}


/** A line with carets: ` ^^^ error some-code: … (fix: …)`. */
const caretLine = /^\s*\^+ (?:error|warning|info) ([a-z0-9-]+)\b.*$/gm;

const carets = textOf("test/golden/{server/checks,experiment/findings}/*.golden.txt");
const marks = [...carets.matchAll(caretLine)];
const marked = new Set(marks.map(([, code]) => code ?? ""));
const withFix = new Set(marks.flatMap(([line, code]) => (line.includes("(fix: ") ? [code ?? ""] : [])));

/** What no document that a person reads can show; each is held by a unit test. */
const elsewhere: ReadonlySet<string> = new Set([
  // Of the command line, not of a document.
  "bad-override",
  // A file of a megabyte, and a chain of a hundred files.
  "file-too-large",
  "extends-too-deep",
]);

/** The sources of checks, a file each, named as their codes. */
const sources = globSync("{server/src,src/shared/experiment}/checks/*.ts", { cwd: root })
  .map((file) => ({ code: basename(file, ".ts"), text: readFileSync(join(root, file), "utf8") }))
  .filter(({ code }) => codes.some((row) => row.code === code));

/** Codes of reading itself that offer a fix. */
const readingFixes = [
  "duplicate-key",
  "field-not-for-variant",
  "foreign-name",
  "foreign-without-counterpart",
  "no-unit",
  "said-twice",
  "unknown-field",
  "unknown-suppression",
  "unknown-variant",
  "wrong-type",
];

describe("goldens of the service", () => {
  it("show every code at a caret", () => {
    const missing = codes.filter(({ code }) => !marked.has(code) && !elsewhere.has(code));
    assert.deepEqual(
      missing.map(({ code }) => code),
      [],
    );
  });

  it("show the fix of every check that has one", () => {
    const fixing = sources.filter(({ text }) => /\bfix(?:es)?\b|edits-at/.test(text));
    assert.ok(fixing.length > 35, `${fixing.length} checks`);
    assert.deepEqual(
      fixing.filter(({ code }) => !withFix.has(code)).map(({ code }) => code),
      [],
    );
    assert.deepEqual(
      readingFixes.filter((code) => !withFix.has(code)),
      [],
    );
  });

  it("know of every fix that they show", () => {
    const pairs = excludedCodes.filter(({ removes }) => removes !== undefined);
    const known = new Set([...readingFixes, ...[...sources, ...pairs].map(({ code }) => code)]);
    assert.deepEqual(
      [...withFix].filter((code) => !known.has(code)),
      [],
    );
  });

  it("show every kind of completion behind a cursor mark", () => {
    const completions = textOf("test/golden/server/completion/*.golden.txt");
    const shown = new Set([...completions.matchAll(/^ {2}.*\((\w+)[,)]/gm)].map(([, kind]) => kind));
    assert.deepEqual(
      suggestionKinds.filter((kind) => !shown.has(kind)),
      [],
    );
  });

  it("show every kind of action, and every title that the service writes", () => {
    const shown = textOf("test/golden/server/actions.golden.txt");
    for (const kind of ["quickfix", "rewrite", "fix-all"]) assert.match(shown, new RegExp(`\\(${kind}\\)`));
    const source = textOf("server/src/actions.ts");
    const titles = [
      ...source.matchAll(/(?:title: |rewriting\(\s*(?:analysis|\{ file, text \}),\s*)([`"])((?:\\.|(?!\1)[^\\])+)\1/g),
      // Up to a template within a template.
    ].map(([, , title]) => (title ?? "").replace(/\$\{[^}]*$/, ""));
    assert.ok(titles.length >= 6, titles.join("\n"));
    const pattern = (title: string): RegExp =>
      new RegExp(
        `^>>>> ${title
          .replaceAll("\\`", "`")
          .split(/\$\{(?:[^{}`]|`[^`]*`)*\}/)
          .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*")}`,
        "m",
      );
    assert.deepEqual(
      titles.filter((title) => !pattern(title).test(shown)),
      [],
    );
  });
});
