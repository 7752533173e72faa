/** @file What interrupts of the command line mean. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { interrupts } from "../../../src/cli/stop-signal.ts";

it("the first interrupt stops, its echo through npm is no second one, a second one ends", () => {
  const pressed = (...times: readonly number[]) => {
    const meaning = interrupts();
    return times.map((time) => meaning(time));
  };
  assert.deepEqual(pressed(5000, 5001, 5003, 5600), ["stop", "echo", "echo", "end"]);
  assert.deepEqual(pressed(0, 400), ["stop", "end"]);
  assert.deepEqual(pressed(10, 11, 1000, 1001), ["stop", "echo", "end", "echo"]);
});
