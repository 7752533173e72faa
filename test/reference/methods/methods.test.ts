/** @file Methods, starts and update rules against PyTorch: ten losses from one start, and the logits after them. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { compared } from "./compare.ts";
import { fixtureNames, loadMethodFixture } from "./fixture.ts";
import { runFixture } from "./run-fixture.ts";

/** As it is promised for ten losses. */
const lossLimit = 1e-3;
/** Ten steps of Adam carry rounding of gradients near zero into weights. */
const logitsLimit = 5e-3;

describe("equals PyTorch over ten steps", () => {
  let backend: Backend;
  before(async () => {
    backend = await createOrtBackend({ device: "cpu", threads: 1 });
  });

  for (const name of fixtureNames())
    it(name, async (t) => {
      const fixture = loadMethodFixture(name);
      const errors = compared(await runFixture(fixture, backend), fixture);
      const text = `losses ${errors.losses.toExponential(1)}, logits ${errors.logits.toExponential(1)}`;
      t.diagnostic(`${name}: ${text}`);
      assert(errors.losses <= lossLimit && errors.logits <= logitsLimit, text);
    });
});
