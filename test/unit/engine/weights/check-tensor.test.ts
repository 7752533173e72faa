/** @file What a model asks of its tensors, and what is said when they are otherwise. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { refuseNonFinite, requireTensor } from "../../../../src/engine/weights/check-tensor.ts";
import { summarizeWeights } from "../../../../src/engine/weights/inspect.ts";
import { openWeights } from "../../../../src/engine/weights/weight-source.ts";
import { entry, fileBytes, floats, put, scratch } from "./files.ts";

async function source(t: TestContext) {
  const header = `{${entry("model.norm.weight", "F32", [4, 3], 0, 48)},${entry("q", "F8_E5M2", [2], 48, 50)},${entry("half", "BF16", [5], 50, 60)}}`;
  const opened = await openWeights(put(scratch(t), "a.safetensors", fileBytes(header, 60)));
  t.after(() => opened.close());
  return opened;
}

describe("requireTensor", () => {
  it("gives a tensor of the right shape, with its type", async (t) => {
    const { dtype, bytes } = requireTensor(await source(t), "model.norm.weight", [4, 3]);
    assert.deepEqual([dtype, bytes], ["float32", 48]);
  });

  it("refuses what is missing, of another shape, or of a type not computed with", async (t) => {
    const opened = await source(t);
    const refused = (name: string, shape: readonly number[], code: string, message: RegExp) =>
      assert.throws(() => requireTensor(opened, name, shape), { name: "UserError", code, message });
    refused(
      "model.norm.wieght",
      [4, 3],
      "missing-tensor",
      /The nearest name is "model.norm.weight"/,
    );
    refused("lm_head.weight", [4, 3], "missing-tensor", /no tensor "lm_head.weight"\.$/);
    for (const shape of [[3, 4], [4], [4, 3, 1], []])
      refused(
        "model.norm.weight",
        shape,
        "tensor-shape",
        /has the shape \[4, 3\], but the model needs/,
      );
    refused("q", [2], "unsupported-tensor-dtype", /stored as F8_E5M2/);
  });
});

it("refuseNonFinite names the place of the first one, in a part of a tensor too", async (t) => {
  const tensor = requireTensor(await source(t), "model.norm.weight", [4, 3]);
  refuseNonFinite(tensor, floats(...Array.from({ length: 12 }, () => 1e38)));
  const bad = floats(0, 0, 0, 0, 0, NaN, 0, 0, Infinity);
  const error = { name: "UserError", code: "non-finite-weights" };
  assert.throws(() => refuseNonFinite(tensor, bad), {
    ...error,
    message: /"model\.norm\.weight".* at \[1, 2\]/,
  });
  assert.throws(() => refuseNonFinite(tensor, bad, 1), { ...error, message: / at \[2, 2\]/ });
});

it("summarizeWeights counts tensors, elements and bytes, by type and file", async (t) => {
  const opened = await source(t);
  const { byType, byFile, ...totals } = summarizeWeights(opened.tensors.values());
  assert.deepEqual(totals, { tensors: 3, elements: 19, bytes: 60 });
  assert.deepEqual(
    [...byType],
    [
      ["F32", { tensors: 1, elements: 12, bytes: 48 }],
      ["BF16", { tensors: 1, elements: 5, bytes: 10 }],
      ["F8_E5M2", { tensors: 1, elements: 2, bytes: 2 }],
    ],
  );
  assert.deepEqual([...byFile], [[opened.path, totals]]);
});
