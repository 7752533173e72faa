/** @file Bytes to text: UTF-8 as it is, everything else by its name. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeUtf8 } from "../../../src/shared/encoding.ts";

const text = "version: 1\nmodel: ./modèle\n";

function nameOf(bytes: Uint8Array): string | undefined {
  const decoded = decodeUtf8(bytes);
  return typeof decoded === "string" ? undefined : decoded.name;
}

describe("text out of bytes", () => {
  it("is UTF-8, with every character that it has and its mark", () => {
    for (const whole of [
      "",
      "\0",
      "a",
      text,
      "\ufeffa",
      "é😀\u{10ffff}\u0800\ud7ff",
      "\0".repeat(64),
    ])
      assert.equal(decodeUtf8(Buffer.from(whole)), whole);
  });

  it("is named where it is another encoding", () => {
    const little = Buffer.from(text, "utf16le");
    assert.equal(nameOf(little), "UTF-16");
    assert.equal(nameOf(Buffer.from(little).swap16()), "UTF-16");
    assert.equal(nameOf(Buffer.from(`\ufeff${text}`, "utf16le")), "UTF-16");
    assert.equal(nameOf(Buffer.from([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0])), "UTF-32");
    assert.equal(nameOf(Buffer.from(text, "latin1")), "Latin-1");
    assert.equal(nameOf(Buffer.from("a \x93quoted\x94", "latin1")), "Windows-1252");
    assert.equal(
      nameOf(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1])),
      "no text",
    );
  });

  it("tells the first byte that is none, as Python's decoder does", () => {
    // Offsets are `start` of the UnicodeDecodeError that bytes(…).decode() raises.
    const cases: readonly (readonly [readonly number[], number])[] = [
      [[0x61, 0xe9], 1],
      [[0xc3, 0xa9, 0x80], 2],
      [[0xc0, 0xaf], 0],
      [[0xe0, 0x9f, 0xbf], 0],
      [[0xed, 0xa0, 0x80], 0],
      [[0xf0, 0x9f, 0x98, 0x80, 0xf4, 0x90, 0x80, 0x80], 4],
      [[0x61, 0xf0, 0x9f, 0x98], 1],
      [[0x61, 0xff], 1],
    ];
    for (const [bytes, offset] of cases) {
      const decoded = decodeUtf8(Uint8Array.from(bytes));
      assert.notEqual(typeof decoded, "string", String(bytes));
      if (typeof decoded !== "string") assert.equal(decoded.offset, offset, String(bytes));
    }
  });
});
