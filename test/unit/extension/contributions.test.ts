/** @file What package.json, its words and the bundles of texts say, against what the code has. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { commands } from "../../../src/shared/commands.ts";
import { isRecord, parseJson } from "../../../src/shared/wire.ts";

const root = join(import.meta.dirname, "../../..");

function record(file: string): Readonly<Record<string, unknown>> {
  const value = parseJson(readFileSync(join(root, file), "utf8"));
  assert(isRecord(value), file);
  return value;
}

const manifest = record("package.json");
const manifestText = readFileSync(join(root, "package.json"), "utf8");

describe("package.json", () => {
  it("has words for everything that it names, in both languages", () => {
    const keys = [...manifestText.matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key ?? "");
    assert(keys.length > 50);
    for (const file of ["package.nls.json", "package.nls.de.json"]) {
      const words = record(file);
      assert.deepEqual(
        keys.filter((key) => typeof words[key] !== "string"),
        [],
        file,
      );
    }
  });

  it("has a German page beside each of the walkthrough's, where the editor looks for it", () => {
    const pages = [...manifestText.matchAll(/"markdown": "([^"]+)\.md"/g)].map(([, page]) => page);
    assert(pages.length >= 5);
    assert.deepEqual(
      pages.filter((page) => !existsSync(join(root, `${page ?? ""}.nls.de.md`))),
      [],
    );
  });

  it("points to files that are there", () => {
    const files = [...manifestText.matchAll(/"(?:\.\/)?(media\/[^"]+\.\w+)"/g)].map(
      ([, file]) => file ?? "",
    );
    assert(files.length > 8);
    assert.deepEqual(
      files.filter((file) => !existsSync(join(root, file))),
      [],
    );
  });

  it("links only to commands that are there", () => {
    const own = Object.values(record("package.nls.json"))
      .flatMap((text) => [...String(text).matchAll(/command:(spectune\.[\w.]+)/g)])
      .map(([, command]) => command ?? "")
      .filter((command) => !/\.focus$/.test(command));
    assert.deepEqual(
      own.filter((command) => !Object.hasOwn(commands, command)),
      [],
    );
  });

  it("lets no workspace name what is started", () => {
    const { contributes } = manifest;
    assert(isRecord(contributes) && isRecord(contributes["configuration"]));
    const { properties } = contributes["configuration"];
    assert(isRecord(properties));
    for (const [id, row] of Object.entries(properties))
      if (id.startsWith("spectune.runtime."))
        assert(isRecord(row) && row["scope"] === "machine", id);
  });

  it("wants no newer editor than its types describe", () => {
    const { engines, devDependencies } = manifest;
    assert(isRecord(engines) && isRecord(devDependencies));
    assert.equal(engines["vscode"], `^${String(devDependencies["@types/vscode"])}`);
  });
});

describe("texts", () => {
  const bundle = record("l10n/bundle.l10n.de.json");
  const used = globSync("{src/extension,media}/**/*.ts", { cwd: root }).flatMap((file) =>
    [
      ...readFileSync(join(root, file), "utf8").matchAll(/\b(?:t|say)\(\s*("(?:[^"\\]|\\.)*")/g),
    ].map(([, text]) => ({ file, text: String(parseJson(text ?? "")) })),
  );

  it("are all there in German", () => {
    assert(used.length > 80);
    assert.deepEqual(
      used.filter(({ text }) => typeof bundle[text] !== "string"),
      [],
    );
  });

  it("are written where they are said: what is looked up by a variable is missed here", () => {
    const elsewhere = globSync("{src/extension,media}/**/*.ts", { cwd: root }).flatMap((file) =>
      [
        ...readFileSync(join(root, file), "utf8").matchAll(/\b(?:l10n\.t|say)\((?!\s*["`)]).*/g),
      ].map(([line]) => `${file}: ${line}`),
    );
    assert.deepEqual(elsewhere, []);
  });

  it("keep their places for values", () => {
    const places = (text: string): readonly string[] => (text.match(/\{\d\}/g) ?? []).toSorted();
    for (const [english, german] of Object.entries(bundle))
      assert.deepEqual(places(String(german)), places(english), english);
  });

  it("are no others", () => {
    const texts = new Set(used.map(({ text }) => text));
    const unused = Object.keys(bundle).filter((text) => !texts.has(text));
    assert.deepEqual(unused, []);
  });
});
