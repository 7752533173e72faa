/** @file Every quantizer of the catalog: what it stores, how it expands, and where it must not be worse than rounding. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quantizers } from "../../../src/engine/catalog.ts";
import { proxyError } from "../../../src/engine/quantizers/blocks/hessian-solver.ts";
import type { MatrixShape, SiteMatrix } from "../../../src/engine/quantizers/context.ts";
import type { Quantizer } from "../../../src/engine/quantizers/define.ts";
import type { PackedMatrix } from "../../../src/engine/quantizers/packed.ts";
import { expanded, storedBytes } from "../../../src/engine/quantizers/packed.ts";
import type { Fields } from "../../../src/shared/schema.ts";
import { inputs, layerOf, linalg, secondMoments, weights } from "./quantizer-case.ts";

interface Known {
  /** Fields of the tests, in place of defaults that want larger matrices. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Fields under which it is to be no worse than RTN of {@link Known.rtn}. */
  readonly rtn?: Readonly<Record<string, unknown>>;
  /** The data decide how much of the bytes it says are used. */
  readonly atMost?: boolean;
  /** Why it is not held against RTN. */
  readonly exempt?: string;
}

const known: Readonly<Record<string, Known>> = {
  nf4: { exempt: "blocks of 64 run over rows, and half the scales' bits are given up" },
  rtn: { config: { group: 16 }, rtn: { group: 16 } },
  gptq: { config: { group: 16 }, rtn: { group: 16 } },
  rsq: { config: { group: 16 }, rtn: { group: 16 } },
  awq: { config: { group: 16 }, rtn: { group: 16 } },
  smoothquant_plus: { config: { group: 16 }, rtn: { group: 16 } },
  adadim: { config: { group: 16 }, rtn: { group: 16 }, atMost: true },
  flexround: { config: { group: 16, steps: 20 }, rtn: { group: 16 } },
  os_plus: { config: { group: 16, thresholds: 10 }, rtn: { group: 16 } },
  dgq: { config: { group: 16 }, rtn: { group: 16 } },
  zeroquant_fp: { config: { group: 16, rank: 2 }, rtn: { group: 16 } },
  lq_lora: { config: { group: 16, rank: 4 }, rtn: { group: 16, bits: 3 } },
  bitstack: { config: { rank: 2 }, exempt: "parts of about a bit each: sums of them have no grid" },
  fp4: { exempt: "blocks of 64 run over rows, and half the scales' bits are given up" },
  quantease: { config: { group: 16 }, rtn: { group: 16 } },
  gwq: { config: { group: 16, outliers: 0.05 }, rtn: { group: 16 } },
  pb_llm: { exempt: "signs are compared with signs, in its own test" },
  // Its paper's comparison: the same bits by rows, and two fewer.
  fp6: { rtn: { group: -1, bits: 4 } },
};

const shapes: readonly MatrixShape[] = [
  { rows: 8, columns: 64 },
  { rows: 7, columns: 33 },
  { rows: 1, columns: 5 },
];

for (const quantizer of quantizers)
  describe(quantizer.name, () => {
    for (const shape of shapes) {
      const name = `${shape.rows} × ${shape.columns}`;
      it(`stores as many bytes of ${name} as it says, and expands them to numbers`, async () => {
        const packed = await pack(quantizer, weights(shape));
        const bound = quantizer.bind(configOf(quantizer));
        const [bytes, said] = [storedBytes(packed), bound.storedBytes(shape)];
        if (knownOf(quantizer).atMost === true) assert.ok(bytes <= said);
        else assert.equal(bytes, said);
        assert.ok(expanded(packed, quantizer.formats).every(Number.isFinite));
      });
    }

    it("makes the same bytes twice", async () => {
      const matrix = weights({ rows: 8, columns: 64 });
      const [first, second] = [await pack(quantizer, matrix), await pack(quantizer, matrix)];
      assert.deepEqual(second, first);
    });

    it("keeps rows of zeros at zero, and stands constants and outliers", async () => {
      const matrix = weights({ rows: 8, columns: 64 });
      const data = matrix.data.slice();
      data.fill(0, 0, 64).fill(0.5, 64, 128);
      data[200] = 1000;
      const values = expanded(await pack(quantizer, { ...matrix, data }), quantizer.formats);
      assert.ok(values.every(Number.isFinite));
      assert.ok(values.subarray(0, 64).every((value) => Math.abs(value) < 0.07));
      assert.ok(Math.abs((values[200] ?? NaN) - 1000) < 150);
    });

    it("refuses NaN and infinities", async () => {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const matrix = weights({ rows: 8, columns: 64 });
        const data = matrix.data.slice();
        data[77] = bad;
        await assert.rejects(pack(quantizer, { ...matrix, data }), RangeError);
      }
    });

    const { rtn, exempt } = knownOf(quantizer);
    it(
      `is no worse than rounding to nearest on its calibration data`,
      { skip: exempt ?? false },
      async () => {
        const rounding = quantizers.find(({ name }) => name === "rtn");
        assert.ok(rounding && rtn);
        for (const seed of [1, 2, 3]) {
          const matrix = weights({ rows: 16, columns: 64 }, seed);
          const x = inputs(256, 64, seed + 100);
          const own = await pack(quantizer, matrix, x);
          const plain = await pack(rounding, matrix, x, { ...defaults(rounding.config), ...rtn });
          const [error, bar] = [
            await errorOf(matrix, own, quantizer, x),
            await errorOf(matrix, plain, rounding, x),
          ];
          assert.ok(error <= bar * (1 + 1e-9), `${error} > ${bar} for seed ${seed}`);
        }
      },
    );
  });

it("every quantizer is known here", () => {
  assert.deepEqual(
    quantizers.map(({ name }) => name).filter((name) => !(name in known)),
    [],
  );
});

async function pack(
  quantizer: Quantizer,
  matrix: SiteMatrix,
  x = inputs(3 * matrix.columns, matrix.columns),
  config = configOf(quantizer),
): Promise<PackedMatrix> {
  const layer = layerOf(matrix, x);
  const each = await quantizer.bind(config).layer(layer);
  return each(layer.matrices()[0] ?? matrix, layer.of(matrix.module));
}

function errorOf(matrix: SiteMatrix, packed: PackedMatrix, of: Quantizer, x: Float32Array) {
  const { rows, columns, data } = matrix;
  const values = expanded(packed, of.formats);
  const moments = secondMoments(x, columns);
  return proxyError(linalg(), { rows, columns, data }, { rows, columns, data: values }, moments);
}

function knownOf({ name }: Quantizer): Known {
  return known[name] ?? {};
}

function configOf(quantizer: Quantizer): Readonly<Record<string, unknown>> {
  return { ...defaults(quantizer.config), ...knownOf(quantizer).config };
}

function defaults(fields: Fields): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]));
}
