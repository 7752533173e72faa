/** @file The wire format against the examples of protobuf's own documentation. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { MessageWriter } from "../../../../src/engine/onnx/protobuf.ts";
import { encodeMessage } from "../../../../src/engine/onnx/protobuf.ts";

function hex(write: (message: MessageWriter) => void): string {
  return Buffer.from(encodeMessage(write)).toString("hex");
}

it("integers are varints, lowest seven bits first", () => {
  assert.equal(
    hex((m) => m.integer(1, 150)),
    "089601",
  );
  assert.equal(
    hex((m) => m.integer(1, 0)),
    "0800",
  );
  assert.equal(
    hex((m) => m.integer(2, 2 ** 40)),
    "10808080808020",
  );
  assert.equal(
    hex((m) => m.integer(1, -1)),
    "08ffffffffffffffffff01",
  );
});

it("texts, bytes, messages and packed lists carry their length", () => {
  assert.equal(
    hex((m) => m.text(2, "testing")),
    "120774657374696e67",
  );
  assert.equal(
    hex((m) => m.text(2, "é")),
    "1202c3a9",
  );
  assert.equal(
    hex((m) => m.bytes(1, Uint8Array.of(1, 255))),
    "0a0201ff",
  );
  assert.equal(
    hex((m) => m.message(3, (inner) => inner.integer(1, 150))),
    "1a03089601",
  );
  assert.equal(
    hex((m) => m.message(3, () => undefined)),
    "1a00",
  );
  assert.equal(
    hex((m) => m.packedIntegers(4, [3, 270, 86942])),
    "2206038e029ea705",
  );
});

it("floats take four bytes, lowest first", () => {
  assert.equal(
    hex((m) => m.float(5, 1.5)),
    "2d0000c03f",
  );
});
