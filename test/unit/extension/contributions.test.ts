/** @file What package.json, its words and the bundles of texts say, against what the code has. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lensCommands } from "../../../server/src/lenses.ts";
import type { CommandId, CommandRow } from "../../../src/shared/commands.ts";
import { commands } from "../../../src/shared/commands.ts";
import { isRecord, parseJson } from "../../../src/shared/wire.ts";

const root = join(import.meta.dirname, "../../..");

function record(file: string): Readonly<Record<string, unknown>> {
  const value = parseJson(readFileSync(join(root, file), "utf8"));
  assert(isRecord(value), file);
  return value;
}

/** What a person does with experiments, runs and weights. */
const person = [
  "spectune.newExperiment",
  "spectune.createSample",
  "spectune.run",
  "spectune.plan",
  "spectune.stop",
  "spectune.resume",
  "spectune.queue",
  "spectune.runSweep",
  "spectune.compare",
  "spectune.quantize",
  "spectune.analyze",
  "spectune.intruders",
  "spectune.mitigate",
  "spectune.compareAdapters",
  "spectune.generate",
  "spectune.merge",
  "spectune.export",
  "spectune.openReport",
  "spectune.revealRun",
  "spectune.deleteRun",
] as const satisfies readonly CommandId[];

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

  it("offers what a person does from the palette and from a place beside it, each where it can be done", () => {
    const { contributes } = manifest;
    assert(isRecord(contributes) && isRecord(contributes["menus"]));
    const rows = Object.values(contributes["menus"]).flatMap((list) =>
      Array.isArray(list) ? list.filter(isRecord) : [],
    );
    assert.deepEqual(
      rows.filter(({ when }) => typeof when !== "string" || when === ""),
      [],
    );
    const placed = new Set(
      rows.filter(({ when }) => when !== "false").map(({ command }) => command),
    );
    const lenses: readonly unknown[] = Object.values(lensCommands);
    const elsewhere = manifestText + JSON.stringify(record("package.nls.json"));
    const [english, german] = [record("package.nls.json"), record("package.nls.de.json")];
    for (const id of person) {
      const row: CommandRow = commands[id];
      assert(row.palette, id);
      assert(
        placed.has(id) || lenses.includes(id) || elsewhere.includes(`command:${id}`),
        `${id} stands in the palette alone`,
      );
      assert.equal(english[`command.${id}`], row.title);
      assert.notEqual(german[`command.${id}`], row.title);
    }
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
