/** @file Each folder says what it holds, what it may import and how to add to it, in few lines that name what is there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { root, textOf } from "./sources.ts";

const folders = [
  ...foldersIn("src"),
  ...foldersIn("src/engine"),
  ...["kernels", "test", "server", "media"],
];

describe("the README of", () => {
  for (const folder of folders)
    it(folder, () => {
      const file = `${folder}/README.md`;
      assert(existsSync(join(root, file)), "There is none.");
      const text = textOf(file);
      assert(text.trimEnd().split("\n").length <= 20, "It has more than 20 lines.");
      assert.match(text, /\bimports?\b/i, "It does not say what the folder may import.");
      assert.match(text, /\bto add\b/i, "It does not say how to add to the folder.");
      const missing = [...text.matchAll(/`([\w./-]+\.(?:ts|mjs|py))`/g)]
        .flatMap(([, name]) => name ?? [])
        .filter((name) => !isThere(folder, name));
      assert.deepEqual(missing, [], "It names files that are not there.");
    });
});

function foldersIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);
}

/** Names are given from the folder, from one of its folders, from the engine, or from the root. */
function isThere(folder: string, name: string): boolean {
  const places = [folder, ...foldersIn(folder), "src/engine", "."];
  return places.some((place) => existsSync(join(root, place, name)));
}
