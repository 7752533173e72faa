/** @file Rules that every file keeps: how it opens, how long it is, and what it never names. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sources, textOf, trackedFiles } from "./sources.ts";

/** Where a file may be longer: it is a table. */
const tables: readonly string[] = [
  "test/unit/engine/op-cases.ts",
  "test/process/bad-input.test.ts",
];

/** Paths in tests of what paths mean. */
const examplePaths: readonly string[] = ["test/unit/engine/weights/hub-cache.test.ts"];

/** A folder of somebody's machine: the root's well-known folders with something in them, or a Windows profile. */
const machinePath =
  /(?<![\w.~*}\])-])\/(?:home|Users|root|work|tmp|mnt|srv|opt)\/\w|\b[A-Z]:\\+Users\b/;

/** The host of a package registry, an index or a mirror. Links to a project's own page are none. */
const registryHost =
  /https?:\/\/[^/\s]*(?:registry|artifact|mirror|proxy|nexus|pypi)|--(?:extra-)?index-[u]rl|--[r]egistry/;

describe("every file", () => {
  it("opens with what it is", () => {
    const found = sources.filter(
      (file) => !/^(?:#!.*\n)?\/\*\*(?:\s|\*)+@file \S/.test(textOf(file)),
    );
    assert.deepEqual(found, []);
  });

  it("is one idea, in 400 lines at most", () => {
    const found = sources
      .map((file) => ({ file, lines: textOf(file).split("\n").length - 1 }))
      .filter(({ file, lines }) => lines > 400 && !tables.includes(file))
      .map(({ file, lines }) => `${file}: ${lines}`);
    assert.deepEqual(found, []);
  });
});

describe("tracked text", () => {
  const tracked = trackedFiles();
  const texts = (tracked ?? [])
    .map((file) => ({ file, text: textOf(file) }))
    .filter(({ text }) => !text.includes("\0"));
  const skip = tracked === undefined && "the tree came without git";

  it("names no folder of a machine", { skip }, () => {
    assert(texts.length > 0);
    const found = lines(machinePath).filter(({ file }) => !examplePaths.includes(file));
    assert.deepEqual(found, []);
  });

  it("names no registry", { skip }, () => {
    assert.deepEqual(lines(registryHost), []);
  });

  function lines(pattern: RegExp): readonly { readonly file: string; readonly line: string }[] {
    return texts.flatMap(({ file, text }) =>
      pattern.test(text)
        ? text
            .split("\n")
            .filter((line) => pattern.test(line))
            .map((line) => ({ file, line: line.slice(0, 200) }))
        : [],
    );
  }
});
