/** @file The arena that is replayed: what stays resident of a sequence of allocations. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newArena } from "../../../../src/engine/plan/arena.ts";

const megabyte = 1 << 20;

describe("an arena", () => {
  it("hands out the same memory again", () => {
    const arena = newArena();
    for (let i = 0; i < 5; i++) arena.free(arena.allocate(megabyte / 2));
    assert.equal(arena.resident(0), megabyte / 2);
  });

  it("holds what exists at once, in multiples of 256 bytes", () => {
    const arena = newArena();
    const chunks = [arena.allocate(1), arena.allocate(257), arena.allocate(1000)];
    assert.equal(arena.resident(0), 256 + 512 + 1024);
    for (const chunk of chunks) arena.free(chunk);
    // What was freed is one piece again.
    arena.free(arena.allocate(256 + 512 + 1024));
    assert.equal(arena.resident(0), 256 + 512 + 1024);
  });

  it("counts a region whole that the C library takes from its heap", () => {
    const arena = newArena();
    arena.allocate(1);
    assert.equal(arena.resident(megabyte), megabyte);
  });

  it("grows by regions that double, and keeps them", () => {
    const arena = newArena();
    arena.free(arena.allocate(3 * megabyte));
    arena.allocate(4 * megabyte);
    assert.equal(arena.resident(0), 4 * megabyte);
    arena.allocate(megabyte);
    assert.equal(arena.resident(0), 5 * megabyte);
  });
});
