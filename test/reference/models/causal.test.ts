/** @file Causal models against transformers and peft: logits, losses, gradients, ten steps. */
import { before, describe, it } from "node:test";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { causalNames, loadFixture } from "./fixture.ts";
import { assertParity } from "./parity.ts";

describe("causal models equal transformers and peft", () => {
  let backend: Backend;
  before(async () => {
    backend = await createOrtBackend({ device: "cpu", threads: 2 });
  });

  for (const name of causalNames)
    it(name, async (t) => {
      await assertParity(loadFixture(name), backend, (line) => t.diagnostic(line));
    });
});
