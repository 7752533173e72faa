/** @file The column sweep against GPTQ's steps and grids against AWQ's in PyTorch, on fixed layers (`make.py` beside this file). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { gridColumns } from "../../../src/engine/quantizers/blocks/grid-columns.ts";
import {
  cutWeights,
  decodeGrid,
  encodeGrid,
  fitGrid,
} from "../../../src/engine/quantizers/blocks/uniform-grid.ts";
import {
  factorHessian,
  sweepColumns,
} from "../../../src/engine/quantizers/blocks/hessian-solver.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { filled } from "../deterministic.ts";
import { floats, list, record, whole } from "./fixture-values.ts";

const fixture = record(
  JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/gptq.json"), "utf8")),
);
const [rows, columns, tokens] = [
  whole(fixture.rows),
  whole(fixture.columns),
  whole(fixture.tokens),
];
const cases = list(fixture.cases).map(record);

await buildKernels();
const linalg = createLinalg(kernelBytes("linalg"));

describe("GPTQ's codes, scales and zeros are PyTorch's", () => {
  const data = filled({ name: "gptq.weight", shape: [rows, columns], scale: 0.25, offset: 0 });
  const weights = { rows, columns, data };
  const hessian = moments();

  for (const wanted of cases)
    it(String(wanted.name), async () => {
      const actOrder = wanted.act_order === true;
      const factor = await factorHessian(linalg, hessian, { actOrder });
      assert.equal(factor.dead[whole(fixture.dead)], 1);
      const grid = gridColumns(weights, {
        bits: whole(wanted.bits),
        symmetric: wanted.symmetric === true,
        granularity: wanted.group === null ? "row" : whole(wanted.group),
        range: { kind: wanted.shrunk === true ? "shrunk" : "min-max" },
        staticGroups: wanted.static === true,
        dead: factor.dead,
      });
      const blockSize = whole(wanted.block);
      const { loss } = await sweepColumns(linalg, weights, factor, grid.quantize, { blockSize });

      assert.deepEqual([...grid.groupOf], wanted.groups);
      assert.equal(hex(grid.codes), wanted.codes);
      assert.equal(hex(grid.grid.zeros), wanted.zeros);
      for (const [i, scale] of floats(wanted.scales).entries())
        // Groups are fitted to weights that float32 has corrected there and float64 here.
        assert.ok(Math.abs((grid.grid.scales[i] ?? NaN) / scale - 1) < 2e-5, `scale ${i}`);
      assert.ok(Math.abs(loss / Number(wanted.loss) - 1) < 1e-4);
    });
});

describe("AWQ's grid gives PyTorch's values, bit for bit", () => {
  const data = filled({ name: "gptq.weight", shape: [rows, columns], scale: 0.25, offset: 0 });
  const lifted = data.map((w, i) => (Math.floor(i / columns) % 3 === 0 ? w + 0.5 : w));
  const weights = { rows: 6, columns, data: lifted.subarray(0, 6 * columns) };

  for (const wanted of list(fixture.awq).map(record))
    it(String(wanted.name), () => {
      const limits = floats(wanted.limits);
      const grid = fitGrid(weights, {
        bits: whole(wanted.bits),
        symmetric: wanted.symmetric === true,
        granularity: whole(wanted.group),
        range: { kind: "clipped", limits },
        rule: "awq",
      });
      const cut = cutWeights(weights, whole(wanted.group), limits);
      const values = decodeGrid(encodeGrid(cut, grid), grid).map((value) => value + 0);
      assert.deepEqual(
        values,
        floats(wanted.values).map((value) => value + 0),
      );
    });
});

/** 2/n XᵀX of whole numbers, as `make.py` makes them. */
function moments() {
  const X = Float64Array.from({ length: tokens * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    if (j === fixture.dead) return 0;
    const own = ((i * i * 31 + j * 17 + i * j * 7 + j * j * 3 + 11) % 7) - 3;
    return own + (((i * i * 13 + i * 5 + 3) % 11) - 5) * ((j % 5) - 2);
  });
  const out = new Float64Array(columns * columns);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < columns; j++) {
        const product = (X[t * columns + i] ?? NaN) * (X[t * columns + j] ?? NaN);
        out[i * columns + j] = (out[i * columns + j] ?? NaN) + product;
      }
  const data = out.map((sum) => (2 / whole(fixture.sequences)) * sum);
  return { rows: columns, columns, data };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
