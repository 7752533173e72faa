/** @file The catalog's GPTQ and AWQ against the official code on fixed layers (`make_official.py` beside this file). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { LayerContext, SiteMatrix } from "../../../src/engine/quantizers/context.ts";
import type { Quantizer } from "../../../src/engine/quantizers/define.ts";
import { awq } from "../../../src/engine/quantizers/awq.ts";
import {
  cutWeights,
  decodeGrid,
  encodeGrid,
  fitGrid,
} from "../../../src/engine/quantizers/blocks/uniform-grid.ts";
import { clipLimits } from "../../../src/engine/quantizers/blocks/clip-search.ts";
import { gridMatrix } from "../../../src/engine/quantizers/formats/grid.ts";
import { gptq } from "../../../src/engine/quantizers/gptq.ts";
import {
  contextOf,
  defaultsOf,
  layerOf,
  linalg,
  outputError,
} from "../../conformance/engine/quantizer-case.ts";
import { filled } from "../deterministic.ts";
import { bytes, floats, list, record, whole } from "./fixture-values.ts";

const fixture = record(
  JSON.parse(readFileSync(join(import.meta.dirname, "fixtures/official.json"), "utf8")),
);
const [rows, columns, group] = [whole(fixture.rows), whole(fixture.columns), whole(fixture.group)];
const data = filled({ name: "official.weight", shape: [rows, columns], scale: 0.25, offset: 0 });
const matrix: SiteMatrix = { module: "layers.0.down_proj", kind: "down_proj", rows, columns, data };
const x = Float32Array.from(new Int8Array(bytes(fixture.x).buffer));

describe("GPTQ stores what the official class does", () => {
  for (const wanted of list(fixture.gptq).map(record))
    it(String(wanted.name), async () => {
      const fields = {
        bits: wanted.bits,
        symmetric: wanted.symmetric,
        group: wanted.group,
        act_order: wanted.act_order,
        static_groups: wanted.static,
        scales: "float32",
      };
      const { grid, codes, groupOf } = await stored(gptq, fields, layerOf(matrix, x));
      const groups = groupOf ?? Int32Array.from({ length: columns }, (_, j) => (wanted.group === -1 ? 0 : Math.floor(j / group))); // prettier-ignore
      assert.deepEqual([...groups], wanted.groups);
      assert.equal(differences(codes, bytes(wanted.codes)), 0);
      const zeros = bytes(wanted.zeros);
      assert.equal(differences(grid.zeros, zeros), 0);
      near(grid.scales, floats(wanted.scales), 1e-4);
    });
});

describe("AWQ searches as the official code does", () => {
  const sizes = floats(fixture.sizes);
  const scaled = x.map((v, i) => v * (sizes[i % columns] ?? NaN));
  for (const wanted of list(fixture.awq).map(record))
    it(`int${whole(wanted.bits)}`, async () => {
      let factors = new Float32Array();
      const fields = { bits: wanted.bits, group, scales: "float32" };
      const folded = chained(scaled, (by) => (factors = Float32Array.from(by)));
      const { grid, codes } = await stored(awq, fields, folded);
      near(factors, floats(wanted.factors), 1e-5);
      assert.ok(Math.max(...factors) / Math.min(...factors) > 1.5, "the search found nothing");
      // From here on with the official factors: a last bit decides zeros that lie half way between two codes.
      const by = floats(wanted.factors);
      const options = { bits: whole(wanted.bits), symmetric: false, granularity: group, rule: "awq" } as const; // prettier-ignore
      const inputs = scaled.map((v, i) => v / (by[i % columns] ?? NaN));
      const weights = { rows, columns, data: data.map((w, i) => w * (by[i % columns] ?? NaN)) };
      const sample = { rows: inputs.length / columns, columns, data: inputs };
      const limits = await clipLimits(linalg(), weights, sample, options);
      near(limits, floats(wanted.limits), 1e-6);
      const cut = cutWeights(weights, group, limits);
      const fitted = fitGrid(cut, options);
      const wantedCodes = bytes(wanted.codes);
      near(fitted.scales, floats(wanted.scales), 1e-6);
      assert.equal(differences(fitted.zeros, bytes(wanted.zeros)), 0);
      assert.equal(differences(encodeGrid(cut, fitted), wantedCodes), 0);
      const official = {
        ...fitted,
        scales: Float32Array.from(floats(wanted.scales)),
        zeros: bytes(wanted.zeros),
      };
      const [own, bar] = [
        await error(decodeGrid(codes, grid), factors),
        await error(decodeGrid(wantedCodes, official), by),
      ];
      assert.ok(Math.abs(own / bar - 1) < 0.05, `${own} against ${bar}`);
    });

  /** Of the outputs, with what is stored under factors. */
  function error(values: Float32Array, by: Float32Array): Promise<number> {
    const unscaled = values.map((value, i) => value / (by[i % columns] ?? NaN));
    return outputError(matrix, unscaled, scaled);
  }
});

/** A layer of the matrix behind another, into which factors can be folded. */
function chained(inputs: Float32Array, seen: (by: Float32Array) => void): LayerContext {
  let [held, read] = [matrix, inputs];
  return {
    ...layerOf(matrix, inputs),
    matrices: () => [held],
    of: () => contextOf(held, read),
    chains: [
      {
        name: "up_proj",
        producer: { kind: "linear", module: "layers.0.up_proj", first: 0 },
        consumers: [matrix.module],
        width: columns,
        shifts: false,
      },
    ],
    scale(_, by) {
      seen(by);
      held = { ...held, data: held.data.map((w, i) => w * (by[i % columns] ?? NaN)) };
      read = read.map((v, i) => v / (by[i % columns] ?? NaN));
    },
  };
}

async function stored(quantizer: Quantizer, fields: object, layer: LayerContext) {
  const each = await quantizer.bind({ ...defaultsOf(quantizer), ...fields }).layer(layer);
  return gridMatrix(await each(layer.matrices()[0] ?? matrix, layer.of(matrix.module)));
}

function differences(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((sum, code, i) => sum + Number(code !== b[i]), 0);
}

function near(a: Float32Array, b: Float32Array, share: number): void {
  assert.equal(a.length, b.length);
  for (const [i, value] of a.entries())
    assert.ok(Math.abs(value / (b[i] ?? NaN) - 1) < share, `${i}: ${value} is not ${b[i]}`);
}
