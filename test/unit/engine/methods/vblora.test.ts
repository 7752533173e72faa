/** @file VB-LoRA: pieces that mix the largest few of one bank's vectors, and gradients that reach those alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import { mul, reduceSum, reshape, scalar } from "../../../../src/engine/core/ops.ts";
import { vblora } from "../../../../src/engine/methods/vblora.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import {
  close,
  disturbed,
  evaluate,
  site,
  startedSite,
} from "../../../conformance/engine/site-case.ts";

const config = { r: 2, num_vectors: 6, vector_length: 4, topk: 2 };

/** A [r, in], B [out, r], the tensors, and the gradients of Σ A² + Σ B² by the logits of A. */
async function made(own: object = {}) {
  const method = vblora.bind(parseFields(vblora.config, { ...config, ...own }).value);
  const data = disturbed(method, (await startedSite(method, [])).data);
  const results = await evaluate(method, data, (g, _x, _base, params) => {
    const pair = method.pair?.(g, params, site);
    const logits = params.get("logitsA");
    assert(pair && logits);
    const loss = reshape(g, reduceSum(g, mul(g, pair.A, pair.A), [0, 1]), []);
    const dA = differentiate(g, new Map([[loss, scalar(g, 1)]]), [logits]).get(logits);
    assert(dA);
    return new Map([["A", pair.A], ["B", pair.B], ["dA", dA]]); // prettier-ignore
  });
  const numbers = (name: string) => Array.from(data.get(name) ?? [], Number);
  const result = (name: string) => results.get(name) ?? [];
  return {
    A: result("A"),
    B: result("B"),
    dA: result("dA"),
    bank: numbers("bank"),
    logitsA: numbers("logitsA"),
    logitsB: numbers("logitsB"),
  };
}

/** The mixture that a row of logits stands for, and which vectors are in it. */
function mixture(logits: readonly number[], bank: readonly number[], length: number, topk: number) {
  const order = logits.map((_, i) => i).toSorted((a, b) => at(logits, b) - at(logits, a));
  const chosen = order.slice(0, topk);
  const sum = chosen.reduce((total, i) => total + Math.exp(at(logits, i)), 0);
  const piece = Array.from({ length }, (_, j) =>
    chosen.reduce(
      (total, i) => total + (Math.exp(at(logits, i)) / sum) * at(bank, i * length + j),
      0,
    ),
  );
  return { piece, chosen };
}

describe("VB-LoRA", () => {
  for (const topk of [1, 2, 6])
    it(`mixes the ${topk} largest into rows of A and columns of B`, async () => {
      const { A, B, bank, logitsA, logitsB } = await made({ topk });
      const rowOf = (logits: readonly number[], place: number) =>
        mixture(logits.slice(place * 6, place * 6 + 6), bank, 4, topk).piece;
      const rows = Array.from({ length: 12 }, (_, place) => rowOf(logitsA, place)).flat();
      close(A, rows, 1e-6);
      // logits of B are [out / length, r, vectors]: piece `tile` of column k.
      const expected = Array.from({ length: site.out * 2 }, (_, place) => {
        const [row, k] = [Math.floor(place / 2), place % 2];
        return at(rowOf(logitsB, Math.floor(row / 4) * 2 + k), row % 4);
      });
      close(B, expected, 1e-6);
    });

  it("moves the logits of chosen vectors alone", async () => {
    const { dA, bank, logitsA } = await made();
    for (let place = 0; place < 12; place++) {
      const { chosen } = mixture(logitsA.slice(place * 6, place * 6 + 6), bank, 4, 2);
      for (let i = 0; i < 6; i++)
        assert.equal(at(dA, place * 6 + i) !== 0, chosen.includes(i), `${place}, ${i}`);
    }
  });

  it("cuts the last piece of a width that the length does not divide", async () => {
    const { A, B, bank, logitsA } = await made({ vector_length: 7 });
    assert.equal(A.length, 2 * site.in);
    assert.equal(B.length, 2 * site.out);
    const row = [0, 1, 2, 3].flatMap(
      (tile) => mixture(logitsA.slice(tile * 6, tile * 6 + 6), bank, 7, 2).piece,
    );
    close(A.slice(0, site.in), row.slice(0, site.in), 1e-6);
  });

  it("has one bank for all sites, which leaves with peft where the length divides the widths", () => {
    const bound = vblora.bind(parseFields(vblora.config, config).value);
    for (const size of [site, { in: 8, out: 40 }]) {
      const bank = bound.params(size).get("bank");
      assert.deepEqual([bank?.key, bank?.shape], ["bank", [6, 4]]);
    }
    const held = [site, { in: 24, out: 22 }].map((size) =>
      vblora.peft?.holds?.(bound.config, size),
    );
    assert.deepEqual(held, [true, false]);
  });

  it("packs the largest logits as places and shares, and unpacks the same mixtures", () => {
    const packing = (topk: number, num_vectors: number) =>
      vblora.peft?.packing?.("logitsA", [2, 1, num_vectors], {
        topk,
        num_vectors,
        save_only_topk_weights: true,
      });
    assert.equal(
      vblora.peft?.packing?.("logitsA", [2, 1, 6], {
        topk: 2,
        num_vectors: 6,
        save_only_topk_weights: false,
      }),
      undefined,
    );
    const logits = Float32Array.of(0, 3, -1, 2, 1, -4, 90, 0, 0.5, -90, 0, 0);
    const packed = packing(3, 6);
    assert(packed);
    const [places = [], shares = []] = packed.pack(logits);
    assert.deepEqual(places, [1, 3, 4, 0, 2, 1]);
    const sum = Math.exp(3) + Math.exp(2) + Math.exp(1);
    close(shares.slice(0, 2), [Math.exp(3) / sum, Math.exp(2) / sum], 1e-12);
    const back = packed.unpack([places, Float32Array.from(shares)]);
    const bank = Array.from({ length: 12 }, (_, place) => Math.sin(place));
    for (const row of [0, 1]) {
      const piece = (values: Float32Array) =>
        mixture(Array.from(values.subarray(row * 6, row * 6 + 6)), bank, 2, 3).piece;
      close(piece(back), piece(logits), 1e-6);
    }
    const types = [
      [255, "uint8"],
      [256, "int16"],
      [32768, "int32"],
    ] as const;
    for (const [count, dtype] of types) assert.equal(packing(1, count)?.parts[0]?.dtype, dtype);
  });
});
