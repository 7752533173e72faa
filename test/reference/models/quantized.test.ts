/** @file A base held in NF4 against bitsandbytes' values of the same weights, with LoRA beside it as in peft. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { buildKernels } from "../../../src/build/kernels.ts";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { loadFixture, quantizedName } from "./fixture.ts";
import type { CaseOptions } from "./parity.ts";
import { assertParity, parityCase, summaryError } from "./parity.ts";

/** One unit in the last place of float32, and its sum over a matrix. */
const rounding = 1e-6;

const options: CaseOptions = {
  storage: ({ role, source }) =>
    role === "linear" && source !== "lm_head.weight"
      ? { type: "nf4", blockSize: 64, doubleQuant: true }
      : { type: "float32" },
};

describe("a base in NF4", () => {
  const fixture = loadFixture(quantizedName);
  let backend: Backend;
  before(async () => {
    await buildKernels();
    backend = await createOrtBackend({ device: "cpu", threads: 2 });
  });

  it("has bitsandbytes' values", () => {
    const { base } = parityCase(fixture, backend, options).build("base");
    assert(fixture.quantized && fixture.quantized.length > 0);
    for (const summary of fixture.quantized)
      assert(summaryError(base.decode(summary.name), summary) < rounding, summary.name);
  });

  it("equals transformers and peft over those values", async (t) => {
    await assertParity(fixture, backend, (line) => t.diagnostic(line), options);
  });

  it("equals them with checkpointing", async (t) => {
    const checkpointing = { ...options, checkpointing: true };
    await assertParity(fixture, backend, (line) => t.diagnostic(line), checkpointing);
  });
});
