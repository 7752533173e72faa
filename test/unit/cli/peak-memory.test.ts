/** @file The greatest memory since a moment: what came and went between two looks counts, what went before does not. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { peakMemory } from "../../../src/cli/peak-memory.ts";

const megabyte = 2 ** 20;

/** Memory that is held, and given back before the call ends. */
function passing(): void {
  const buffer = new ArrayBuffer(256 * megabyte);
  new Uint8Array(buffer).fill(1);
  buffer.transfer(0);
}

const skip = process.platform === "linux" ? false : "only Linux counts what nobody looks at";

it("sees what came and went since it was reset, and nothing of before", { skip }, () => {
  const memory = peakMemory();
  memory.reset();
  const floor = memory.bytes();
  passing();
  const peak = memory.bytes();
  assert.ok(peak > floor + 200 * megabyte, `${peak} after ${floor}`);
  assert.equal(memory.bytes(), peak);
  memory.reset();
  assert.ok(memory.bytes() < peak - 150 * megabyte);
});
