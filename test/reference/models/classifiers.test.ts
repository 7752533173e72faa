/** @file Encoders with a head against transformers and peft: logits, losses, gradients, ten steps. */
import { before, describe, it } from "node:test";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { classifierNames, loadFixture } from "./fixture.ts";
import { assertParity } from "./parity.ts";

describe("classifiers and regressors equal transformers and peft", () => {
  let backend: Backend;
  before(async () => {
    backend = await createOrtBackend({ device: "cpu", threads: 2 });
  });

  for (const name of classifierNames)
    it(name, async (t) => {
      await assertParity(loadFixture(name), backend, (line) => t.diagnostic(line));
    });
});
