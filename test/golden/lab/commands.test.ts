/** @file What the lab's commands print of a tiny fixed model: their tables, and the fields and types of their JSON. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { lastLine, spectune } from "../../support/command-line.ts";
import { moduleOf, names, workspace } from "../../process/lab/small-models.ts";
import { matrix, writeAdapter } from "../../unit/engine/lab/folders.ts";

const update = process.env["SPECTUNE_UPDATE_GOLDENS"] === "1";

const commands = {
  spectra: ["spectra", "base", "--adapter", "one"],
  intruders: ["intruders", "base", "--adapter", "one"],
  mitigate: ["mitigate", "base", "--adapter", "one", "--keep", "0.5", "--out", "milder"],
  diff: ["diff", "one", "two"],
} as const;

/** A base and two adapters of rank 2 on its square and its wide matrix. */
async function folderOf(t: TestContext): Promise<string> {
  const folder = await workspace(t);
  for (const [name, seed] of [
    ["one", 50],
    ["two", 51],
  ] as const)
    await writeAdapter(join(folder, name), { r: 2, lora_alpha: 0.8 }, {
      [`${moduleOf(names.q)}.lora_A.weight`]: matrix(2, 192, seed),
      [`${moduleOf(names.q)}.lora_B.weight`]: matrix(192, 2, seed + 10),
      [`${moduleOf(names.down)}.lora_A.weight`]: matrix(2, 64, seed + 20),
      [`${moduleOf(names.down)}.lora_B.weight`]: matrix(40, 2, seed + 30),
    });
  return folder;
}

describe("the lab's commands on a tiny model", () => {
  for (const [name, args] of Object.entries(commands)) {
    it(`${name}, for people`, async (t) => {
      const folder = await folderOf(t);
      const { code, out, err } = await spectune(folder, ...args);
      assert.equal(code, 0, err);
      same(`${name}.golden.txt`, rounded(out.replaceAll(folder, "FOLDER")));
    });
    it(`${name}, for machines`, async (t) => {
      const folder = await folderOf(t);
      const outcome = await spectune(folder, ...args, "--json");
      assert.equal(outcome.code, 0, outcome.err);
      same(`${name}.golden.json`, `${JSON.stringify(shapeOf(lastLine(outcome)), undefined, 1)}\n`);
    });
  }
});

/** Without names that hang on every option; of numbers two digits, in as many characters, which no machine's rounding moves. */
function rounded(text: string): string {
  return text
    .replaceAll(/-[0-9a-f]{12}\.json/g, "-HASH.json")
    .replaceAll(/\d+\.\d+(?:e[+-]?\d+)?/g, (number) =>
      Number(Number(number).toPrecision(2)).toString().slice(0, number.length).padEnd(number.length),
    )
    .replaceAll(/ +$/gm, "");
}

/** Types for values; of a list its first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

function same(file: string, actual: string): void {
  const path = join(import.meta.dirname, file);
  if (update) writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, "utf8"));
}
