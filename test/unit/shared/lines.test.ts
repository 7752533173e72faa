/** @file Cutting bytes into lines gives the same lines however the bytes arrive. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLineSplitter } from "../../../src/shared/lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("lines", () => {
  const stream = bytes("one\n\nzwei € 😀\nthree, torn");
  const expected = [
    { text: "one", start: 100, end: 104 },
    { text: "", start: 104, end: 105 },
    { text: "zwei € 😀", start: 105, end: 119 },
  ];

  for (const size of [1, 2, 3, 7, 1000])
    it(`come whole out of chunks of ${size} bytes`, () => {
      const splitter = createLineSplitter(100);
      const lines = [];
      for (let from = 0; from < stream.length; from += size)
        lines.push(...splitter.push(stream.slice(from, from + size)));
      assert.deepEqual(lines, expected);
      assert.equal(splitter.pending(), "three, torn".length);
    });

  it("that are too long are passed over, and the next one is read", () => {
    const splitter = createLineSplitter(0, 4);
    const chunks = ["12", "3", "45", "6\n1234\n12345\nok", "\n"];
    assert.deepEqual(
      chunks.flatMap((chunk) => splitter.push(bytes(chunk))),
      [
        { start: 0, end: 7 },
        { text: "1234", start: 7, end: 12 },
        { start: 12, end: 18 },
        { text: "ok", start: 18, end: 21 },
      ],
    );
  });

  it("that never end are not kept in memory", () => {
    const splitter = createLineSplitter();
    const chunk = new Uint8Array(1 << 20);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 64; count += 1) splitter.push(chunk);
    assert.equal(splitter.pending(), 2 ** 26);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 2 ** 24, `${grown} bytes`);
  });

  it("do not hold on to a chunk that the caller reuses", () => {
    const splitter = createLineSplitter();
    const chunk = bytes("ab");
    splitter.push(chunk);
    chunk.fill(120);
    assert.equal(splitter.push(bytes("\n"))[0]?.text, "ab");
  });
});
