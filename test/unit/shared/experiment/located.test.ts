/** @file YAML as located values: places, faults, aliases, and the bounds of size, depth and expansion. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExperimentFinding } from "../../../../src/shared/experiment/findings.ts";
import { collector } from "../../../../src/shared/experiment/findings.ts";
import { limits, readText } from "../../../../src/shared/experiment/located.ts";
import type { MapNode } from "../../../../src/shared/experiment/tree.ts";
import { lineAndColumn, nodeAt, plain } from "../../../../src/shared/experiment/tree.ts";

function parse(text: string): {
  readonly root: MapNode;
  readonly findings: readonly ExperimentFinding[];
} {
  const { findings, report } = collector();
  const { root } = readText("f", text, report);
  return { root, findings };
}

function codes(text: string): readonly string[] {
  return parse(text).findings.map(({ code }) => code);
}

/** Line and column of the start of the value at `path`. */
function where(root: MapNode, ...path: readonly string[]): readonly [number, number] | undefined {
  const at = nodeAt(root, path)?.at;
  return at === undefined ? undefined : lineAndColumn(at.source, at.start);
}

describe("located values", () => {
  it("know where they stand", () => {
    const { root, findings } = parse("a: 1\nb:\n  - x\n  - { c: yes }\r\nd: |\n  text\n");
    assert.deepEqual(findings, []);
    assert.deepEqual(plain(root), { a: 1, b: ["x", { c: "yes" }], d: "text\n" });
    assert.deepEqual(where(root, "a"), [1, 4]);
    assert.deepEqual(where(root, "b", "0"), [3, 5]);
    assert.deepEqual(where(root, "b", "1", "c"), [4, 10]);
    assert.deepEqual(where(root, "d"), [5, 4]);
  });

  it("put a missing value right behind its colon", () => {
    const { root } = parse("a:\nb: 1\n");
    assert.deepEqual(where(root, "a"), [1, 3]);
  });

  it("read scalars by YAML 1.2, and keep how they were written", () => {
    const { root } = parse("a: 2e-4\nb: no\nc: 012\nd: '8'\ne: ~\nf: .inf\ng: 0x10");
    assert.deepEqual(plain(root), { a: 2e-4, b: "no", c: 12, d: "8", e: null, f: null, g: 16 });
    const a = nodeAt(root, ["a"]);
    assert.ok(a?.kind === "number");
    assert.equal(a.written, "2e-4");
  });

  it("follow aliases and merge keys, the map's own entries first", () => {
    const { root, findings } = parse(
      "a: &x { k: 1, j: 2 }\nb: { <<: *x, k: 5 }\nc: *x\nd: { <<: [{ j: 9 }, *x] }",
    );
    assert.deepEqual(findings, []);
    assert.deepEqual(plain(nodeAt(root, ["b"]) ?? root), { k: 5, j: 2 });
    assert.deepEqual(plain(nodeAt(root, ["d"]) ?? root), { j: 9, k: 1 });
    assert.deepEqual(where(root, "c"), [3, 4]);
  });

  it("keep dangerous names as names", () => {
    const { root } = parse("__proto__: { polluted: 1 }\nconstructor: 2\n");
    const value = plain(root);
    assert.deepEqual(Object.keys(typeof value === "object" && value !== null ? value : {}), [
      "__proto__",
      "constructor",
    ]);
    assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
  });

  it("survive faults and say them", () => {
    assert.deepEqual(codes("a: 1\na: 2\n"), ["duplicate-key"]);
    assert.deepEqual(codes("a: 1\n---\nb: 2\n"), ["several-documents"]);
    assert.deepEqual(codes("a:\n\tb: 1\n"), ["yaml-syntax"]);
    assert.deepEqual(codes("a: !foo 1\n"), ["yaml-tag"]);
    assert.deepEqual(codes("a: !!binary aGk=\nb: !!str 1\n"), ["yaml-tag"]);
    assert.deepEqual(codes("a: *b\n"), ["yaml-alias"]);
    assert.deepEqual(codes("a: &a [*a]\n"), ["yaml-alias"]);
    assert.deepEqual(codes("? [a]\n: 1\n"), ["yaml-key"]);
    assert.deepEqual(codes("[1, 2]"), ["wrong-type"]);
    assert.deepEqual(codes("text"), ["wrong-type"]);
    assert.deepEqual(codes(""), []);
    assert.deepEqual(codes("# nothing\n"), []);
    assert.deepEqual(plain(parse("%YAML 1.1\n---\na: yes\n").root), { a: "yes" });
    assert.deepEqual(plain(parse("a: 1\nb: {\n").root), { a: 1, b: {} });
  });

  it("refuse what is too large, too deep, or grows by aliases", () => {
    assert.deepEqual(codes("#".repeat(limits.characters + 1)), ["file-too-large"]);
    assert.deepEqual(codes("k: [".repeat(limits.depth)), ["file-too-deep"]);
    assert.deepEqual(codes(`a: ${"1, ".repeat(10)}`.padEnd(100)), []);
    assert.deepEqual(codes(`a: [${"1, ".repeat(limits.nodes)}]`), ["file-too-large"]);
    const bomb = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"];
    for (let level = 1; level < 20; level += 1) {
      const ten = Array(10)
        .fill(`*a${level - 1}`)
        .join(", ");
      bomb.push(`a${level}: &a${level} [${ten}]`);
    }
    assert.deepEqual(codes(bomb.join("\n")), ["file-too-large"]);
  });

  it("come to an end for long texts of each kind", () => {
    const shapes = [
      "[",
      "{",
      "- ",
      "? ",
      "a: ",
      "a:\n",
      "&a ",
      "!a ",
      "\n",
      " \n",
      "}",
      "[]",
      "*a ",
      "'",
      '"',
      "%a\n",
      "---\n",
      ": ",
      "x: [\n",
      "- a\n",
      "a: >\n x\n",
      "\u0000",
      "\ufeff",
    ];
    for (const shape of shapes) {
      const text = shape.repeat(Math.floor(20_000 / shape.length));
      const { findings } = parse(text);
      assert.ok(findings.length <= 300);
    }
  });
});
