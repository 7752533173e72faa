/** @file Rounded inputs: each token's by its own largest entries, to the values of the format, on the runtime that measures. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import type { InputRounding } from "../../../../src/engine/programs/round-inputs.ts";
import { roundInputs } from "../../../../src/engine/programs/round-inputs.ts";
import { e4m3 } from "../../../../src/engine/quantizers/blocks/code-books.ts";
import {
  decodeGrid,
  encodeGrid,
  fitGrid,
} from "../../../../src/engine/quantizers/blocks/uniform-grid.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { inputs } from "../../../conformance/engine/quantizer-case.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const [rows, columns] = [24, 40];
const x = inputs(rows, columns, 9);
// A row of zeros, one below 0 and one above.
x.fill(0, 0, columns);
for (const [row, sign] of [
  [1, -1],
  [2, 1],
] as const)
  for (let i = row * columns; i < (row + 1) * columns; i++)
    x[i] = sign * (1 + Math.abs(x[i] ?? NaN));

describe("inputs rounded to", () => {
  for (const bits of [4, 8])
    for (const symmetric of [true, false])
      it(`${bits} bits, ${symmetric ? "symmetric" : "from least to largest"}, are on each token's own grid`, async () => {
        const made = await rounded({ type: "integer", bits, symmetric });
        if (symmetric) {
          const top = 2 ** (bits - 1) - 1;
          eachRow((row, from) => {
            const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            for (const [j, value] of row.entries()) {
              const own = made[from + j] ?? NaN;
              assert.ok(Math.abs(own - value) <= (0.5001 * largest) / top, `${own} for ${value}`);
              const code = largest > 0 ? (own * top) / largest : 0;
              assert.ok(Math.abs(code - Math.round(code)) < 1e-3);
            }
          });
          return;
        }
        const fitted = fitGrid({ rows, columns, data: x }, { bits, symmetric, granularity: "row" });
        const wanted = decodeGrid(encodeGrid({ rows, columns, data: x }, fitted), fitted);
        const step = (i: number) => fitted.scales[Math.floor(i / columns)] ?? NaN;
        // A last bit of the scale decides entries half way between two codes.
        let apart = 0;
        for (const [i, value] of made.entries())
          if (Math.abs(value - (wanted[i] ?? NaN)) > 1e-4 * step(i)) apart++;
        assert.ok(apart <= 2, `${apart} of ${made.length} differ`);
      });

  it("8-bit floating point are the nearest values of E4M3 under each token's scale", async () => {
    const made = await rounded({ type: "float8" });
    eachRow((row, from) => {
      const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 448;
      for (const [j, value] of row.entries()) {
        const own = made[from + j] ?? NaN;
        if (scale === 0) assert.equal(own, 0);
        else {
          const error = (of: number) => Math.abs(of / scale - value / scale);
          const best = (e4m3.values[e4m3.nearest(Math.fround(value / scale))] ?? NaN) * scale;
          assert.ok(error(own) <= error(best) + 1e-4 * Math.abs(value / scale), `${own}, ${best}`);
          const code = e4m3.values[e4m3.nearest(own / scale)] ?? NaN;
          assert.ok(Math.abs(own / scale - code) <= 1e-5 * Math.abs(code), `${own / scale}`);
        }
      }
    });
  });

  it("float8 keep every value of the format, the smallest too", async () => {
    const values = Float32Array.from(e4m3.values.filter(Number.isFinite));
    const made = await rounded({ type: "float8" }, values, 1);
    for (const [i, value] of values.entries()) assert.equal(made[i], value + 0);
  });
});

function eachRow(of: (row: Float32Array, from: number) => void): void {
  for (let from = 0; from < x.length; from += columns) of(x.subarray(from, from + columns), from);
}

async function rounded(rounding: InputRounding, data = x, height = rows): Promise<Float32Array> {
  const g = newGraph();
  const shape = [height, data.length / height];
  g.output("y", roundInputs(g, g.input("x", "float32", shape), rounding));
  const program = await backend.compile(g);
  const y = (await program.run(new Map([["x", backend.upload("float32", shape, data)]]))).get("y");
  assert.ok(y);
  const values = await backend.download(y);
  assert.ok(values instanceof Float32Array);
  return values;
}
