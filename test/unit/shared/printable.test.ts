/** @file Control characters of users' texts in messages. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { printable } from "../../../src/shared/printable.ts";

it("writes control characters out, and keeps everything else", () => {
  assert.equal(printable("a\0b\x1b[31m\tc\r\x7f\x9b"), "a\\0b\\x1b[31m\\tc\\r\\x7f\\x9b");
  assert.equal(printable("é 😀 `x`\nnext"), "é 😀 `x`\nnext");
});
