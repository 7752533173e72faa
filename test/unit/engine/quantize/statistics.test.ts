/** @file Tokens by the attention paid to them, and the moments that they weigh in. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gatherInputs, weightsOf } from "../../../../src/engine/quantize/statistics.ts";
import { passLayer } from "../../../../src/engine/quantize/one-layer.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { at } from "../../../../src/shared/errors.ts";
import { networkCases } from "../network/cases.ts";
import { smallModel } from "./open-layer.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });

describe("tokens", () => {
  for (const { name, model, batch } of networkCases)
    it(`of ${name} share out what each query that counts attends to, over its heads`, async () => {
      const { parts, setup, weights, batches, states } = await smallModel(backend, model, batch);
      const sums: Float32Array[] = [];
      await passLayer(parts, setup, weights, batches, states, {
        look: true,
        attention: true,
        modules: new Set(setup.spec.linears.slice(0, 1).map(({ module }) => module)),
        visit: (input) => {
          sums.push(input.attended ?? new Float32Array());
          return Promise.resolve();
        },
      });
      const attended = at(sums, 0);
      assert.equal(attended.length, batch.ids.length);
      for (let from = 0; from < attended.length; from += batch.length) {
        const own = attended.slice(from, from + batch.length);
        const wanted = (batch.length - 1) * model.sizes.heads;
        assert.ok(Math.abs(own.reduce((sum, value) => sum + value, 0) - wanted) < 1e-4);
        // The last query does not count, and no other sees it where attention looks back alone.
        if (model.causal) assert.equal(own.at(-1), 0);
      }
    });

  it("weigh from the least to the most of their sequence, those that do not count nothing", () => {
    const attended = Float32Array.from([4, 0, 2, 9, 7, 7, 7, 7]);
    const counted = Uint8Array.from([1, 1, 1, 0, 1, 1, 1, 1]);
    const of = (power: number) => [
      ...weightsOf({ least: 1, most: 3, power }, { attended, counted }, 4),
    ];
    assert.deepEqual(of(2), [3, 1, 2, 0, 3, 3, 3, 3]);
    assert.deepEqual(
      of(1),
      [3, 1, 2, 0, 3, 3, 3, 3].map((r) => Math.fround(Math.sqrt(r))),
    );
    assert.deepEqual(of(0), [1, 1, 1, 0, 1, 1, 1, 1]);
  });

  it("weigh in second moments by the square of their factors, and leave the plain ones", async () => {
    const { model, batch } = at(networkCases, 0);
    const { parts, setup, weights, batches, states } = await smallModel(backend, model, batch);
    const modules = new Set(setup.spec.linears.map(({ module }) => module));
    const known = new Map<number, Float32Array>();
    const tokens = { least: 1, most: 3, power: 2, known };
    const gathered = await gatherInputs(parts, setup, weights, batches, states, modules, {
      needs: new Set(["moments", "columns", "inputs"]),
      tokens,
    });
    const factors = at([...known.values()], 0);
    assert.ok(factors.includes(3) && factors.includes(1));
    for (const { moments, weighted, sample, width } of gathered) {
      assert.ok(moments && weighted && sample);
      const rows = [...factors].flatMap((factor) => (factor > 0 ? [factor] : []));
      assert.equal(sample.rows, rows.length);
      for (const [of, power] of [
        [moments, 0],
        [weighted, 2],
      ] as const) {
        const [i, j] = [1, width - 1];
        const wanted = rows.reduce((sum, factor, row) => {
          const x = (column: number) => sample.data[row * width + column] ?? NaN;
          return sum + factor ** power * x(i) * x(j);
        }, 0);
        assert.ok(Math.abs((of.matrix.data[i * width + j] ?? NaN) - wanted) < 1e-4);
      }
    }
  });
});
