/** @file Packed matrices in the layouts of model folders, and found there again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gptq } from "../../../../src/engine/quantizers/gptq.ts";
import { awqLayout } from "../../../../src/engine/quantizers/layouts/awq.ts";
import { bitsandbytesLayout } from "../../../../src/engine/quantizers/layouts/bitsandbytes.ts";
import { gptqLayout, gptqWith } from "../../../../src/engine/quantizers/layouts/gptq.ts";
import type { Layout } from "../../../../src/engine/quantizers/layouts/layout.ts";
import { own } from "../../../../src/engine/quantizers/layouts/own.ts";
import { nf4 } from "../../../../src/engine/quantizers/nf4.ts";
import type { Quantizer } from "../../../../src/engine/quantizers/define.ts";
import type { PackedMatrix, StoredArray } from "../../../../src/engine/quantizers/packed.ts";
import { rtn } from "../../../../src/engine/quantizers/rtn.ts";
import { inputs, layerOf, weights } from "../../../conformance/engine/quantizer-case.ts";

const grid = { bits: 4, group: 32, symmetric: false, range: "min-max", scales: "float16" };
const columns = {
  act_order: true,
  static_groups: false,
  true_sequential: false,
  damping: 0.01,
  block_size: 128,
};

describe("GPTQ's layout", () => {
  for (const bits of [2, 3, 4, 8])
    for (const symmetric of [true, false])
      for (const [less, format] of [
        [1, "gptq"],
        [0, "gptq_v2"],
      ] as const)
        it(`gives ${bits} bits back, ${symmetric ? "symmetric" : "with zeros"}, as ${format}`, async () => {
          const packed = await pack(rtn, { ...grid, bits, symmetric });
          const layout = gptqWith(less);
          assert.equal(layout.refuses(packed), undefined);
          assert.deepEqual(there(layout, packed, { checkpoint_format: format }), packed);
        });

  it("keeps columns of groups that lie apart", async () => {
    const packed = await pack(gptq, { ...grid, ...columns });
    assert.ok(packed.tensors.has("group_of"));
    assert.deepEqual(there(gptqLayout, packed, { checkpoint_format: "gptq_v2" }), packed);
  });

  it("has words of eight codes, the first lowest, down the inputs", async () => {
    const packed = await pack(rtn, grid);
    const words = gptqLayout.write("m", packed).get("m.qweight");
    assert.deepEqual(words?.shape, [8, 32]);
    const codes = packed.tensors.get("codes")?.data;
    assert.ok(codes instanceof Uint8Array && words.data instanceof Int32Array);
    // Output 5, inputs 8 and 9.
    const word = words.data[32 + 5] ?? 0;
    const pair = codes[5 * 32 + 4] ?? 0;
    assert.deepEqual([word & 15, (word >> 4) & 15], [pair & 15, pair >> 4]);
  });

  for (const [name, config, why] of [
    ["five bits", { bits: 5 }, /5/],
    ["groups that do not divide", { group: 48 }, /48/],
    ["float32 scales", { scales: "float32" }, /float16/],
    ["one scale for the matrix", { group: 0 }, /row/],
  ] as const)
    it(`says that it cannot hold ${name}`, async () => {
      const packed = await pack(rtn, { ...grid, ...config });
      assert.match(gptqLayout.refuses(packed) ?? "", why);
    });
});

describe("AWQ's layout", () => {
  const about = { quant_method: "awq", version: "gemm" };

  for (const symmetric of [true, false])
    for (const group of [32, -1])
      it(`gives groups of ${group} back, ${symmetric ? "symmetric" : "with zeros"}`, async () => {
        const packed = await pack(rtn, { ...grid, symmetric, group });
        assert.equal(awqLayout.refuses(packed), undefined);
        assert.deepEqual(there(awqLayout, packed, about), packed);
      });

  it("has words of eight outputs, even ones in the lower half, along the outputs", async () => {
    const packed = await pack(rtn, grid);
    const words = awqLayout.write("m", packed).get("m.qweight");
    assert.deepEqual(words?.shape, [64, 4]);
    const codes = packed.tensors.get("codes")?.data;
    assert.ok(codes instanceof Uint8Array && words.data instanceof Int32Array);
    // Input 6; outputs 8 to 15.
    const word = words.data[6 * 4 + 1] ?? 0;
    const code = (output: number) => (codes[output * 32 + 3] ?? 0) & 15;
    assert.deepEqual(
      Array.from({ length: 8 }, (_, part) => (word >>> (4 * part)) & 15),
      [8, 10, 12, 14, 9, 11, 13, 15].map(code),
    );
  });

  for (const [name, config, why] of [
    ["three bits", { bits: 3 }, /3/],
    ["groups that do not divide", { group: 48 }, /48/],
    ["float32 scales", { scales: "float32" }, /float16/],
  ] as const)
    it(`says that it cannot hold ${name}`, async () => {
      const packed = await pack(rtn, { ...grid, ...config });
      assert.match(awqLayout.refuses(packed) ?? "", why);
    });

  it("cannot hold groups that lie apart", async () => {
    assert.match(awqLayout.refuses(await pack(gptq, { ...grid, ...columns })) ?? "", /follow/);
  });

  it("does not read other versions, or arrays that do not fit together", async () => {
    const arrays = awqLayout.write("m", await pack(rtn, grid));
    const infos = new Map(
      [...arrays].map(([name, { shape, data }]) => [name, { shape, bytes: data.byteLength }]),
    );
    const found = (config: object, of = infos) =>
      awqLayout.find("m", of, undefined, { ...about, ...config });
    assert.ok(found({}));
    assert.equal(found({ version: "gemv" }), undefined);
    assert.equal(found({ quant_method: "gptq" }), undefined);
    const wider = new Map([...infos, ["m.scales", { shape: [2, 40], bytes: 160 }] as const]);
    assert.equal(found({}, wider), undefined);
  });
});

describe("bitsandbytes' layout", () => {
  for (const double_quant of [true, false])
    it(`gives NF4 back ${double_quant ? "with" : "without"} nested scales`, async () => {
      const packed = await pack(nf4, { block_size: 64, double_quant });
      const layout = bitsandbytesLayout("nf4");
      const arrays = layout.write("m", packed);
      assert.deepEqual(
        [...arrays.keys()].toSorted(),
        [
          "m.weight",
          "m.weight.absmax",
          "m.weight.quant_map",
          "m.weight.quant_state.bitsandbytes__nf4",
          ...(double_quant ? ["m.weight.nested_absmax", "m.weight.nested_quant_map"] : []),
        ].toSorted(),
      );
      const again = there(layout, packed, {});
      assert.deepEqual(sorted(again), sorted(packed));
    });
});

describe("Spectune's layout", () => {
  it("gives any format back", async () => {
    for (const packed of [
      await pack(rtn, { ...grid, bits: 5, group: 48 }),
      await pack(nf4, { block_size: 64, double_quant: true }),
    ])
      assert.deepEqual(sorted(there(own, packed, {})), sorted(packed));
  });

  it("finds nothing where its description is damaged", () => {
    for (const text of ["", "{", "[]", '{"format":"grid","rows":"4"}'])
      assert.equal(own.find("m", new Map(), new TextEncoder().encode(text), {}), undefined);
  });
});

function pack(quantizer: Quantizer, config: unknown): Promise<PackedMatrix> {
  const matrix = weights({ rows: 32, columns: 64 });
  const layer = layerOf(matrix, inputs(128, 64));
  return quantizer
    .bind(config)
    .layer(layer)
    .then((each) => each(matrix, layer.of(matrix.module)));
}

/** Written and found again. */
function there(
  layout: Layout,
  packed: PackedMatrix,
  config: Readonly<Record<string, unknown>>,
): PackedMatrix {
  const arrays = layout.write("m", packed);
  const infos = new Map(
    [...arrays].map(([name, { shape, data }]) => [name, { shape, bytes: data.byteLength }]),
  );
  const mark = arrays.get(`m${layout.mark}`)?.data;
  const info = layout.find("m", infos, mark instanceof Uint8Array ? mark : undefined, config);
  assert.ok(info);
  assert.deepEqual(info.arrays.toSorted(), [...arrays.keys()].toSorted());
  return info.unpack(arrays);
}

function sorted({ tensors, ...rest }: PackedMatrix): unknown {
  return {
    ...rest,
    tensors: [...tensors].toSorted(([a]: readonly [string, StoredArray], [b]) => (a < b ? -1 : 1)),
  };
}
