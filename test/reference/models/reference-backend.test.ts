/** @file The float64 interpreter runs whole models: its numbers against transformers', without ONNX Runtime. */
import { describe, it } from "node:test";
import { createHostReference } from "../../support/host-reference.ts";
import { loadFixture } from "./fixture.ts";
import { assertWithin, forwardErrors, gradientErrors, parityCase } from "./parity.ts";

describe("the float64 interpreter equals transformers and peft", () => {
  for (const name of ["llama-tied", "gpt2", "roberta-regression"] as const)
    it(name, async (t) => {
      const fixture = loadFixture(name);
      const parity = parityCase(fixture, createHostReference());
      const { lora } = fixture;
      t.diagnostic(assertWithin(await forwardErrors(parity, "lora", lora.forward)));
      t.diagnostic(assertWithin(await gradientErrors(parity, "lora", lora.gradients)));
    });
});
