/** @file How far a layer or a part of it is off with other weights: by what must hold of linear ends, and against the layer itself. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layerContextOf } from "../../../../src/engine/quantize/layer-context.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { at } from "../../../../src/shared/errors.ts";
import { networkCases } from "../network/cases.ts";
import { openLayer, smallModel } from "./open-layer.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });

describe("the error of a part", () => {
  for (const { name, model, batch } of networkCases)
    it(`of ${name} is that of its last matrix's output, of its own weights nothing`, async () => {
      const layer = layerContextOf(openLayer(await smallModel(backend, model, batch)));
      const matrices = layer.matrices();
      for (const last of ["o_proj", "down_proj", "c_proj", "attention.output.dense"]) {
        const matrix = matrices.find(({ module }) => module.endsWith(last));
        if (!matrix) continue;
        const times = (factor: number) =>
          layer.error(new Map([[matrix.module, matrix.data.map((w) => factor * w)]]), "part");
        assert.equal(await times(1), 0);
        const [none, two, three] = [await times(0), await times(2), await times(3)];
        // A bias is no part of what grows.
        assert.ok(none > 0);
        assert.ok(Math.abs(two / none - 1) < 1e-4, `${two} is not ${none}`);
        assert.ok(Math.abs(three / none - 4) < 1e-3);
      }
    });

  it("is not the layer's, which is taken from other targets", async () => {
    const { model, batch } = at(networkCases, 0);
    const layer = layerContextOf(openLayer(await smallModel(backend, model, batch)));
    const matrix = at(layer.matrices(), 0);
    const same = new Map([[matrix.module, matrix.data]]);
    assert.ok((await layer.error(same)) > 0);
    assert.equal(await layer.error(same, "part"), 0);
  });
});
