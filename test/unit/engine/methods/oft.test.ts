/** @file OFT: turns that keep lengths and angles, how far its power series is from one, and the bound of COFT. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BoundMethod } from "../../../../src/engine/methods/define.ts";
import { oft } from "../../../../src/engine/methods/oft.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import { evaluate, site, startedSite } from "../../../conformance/engine/site-case.ts";
import { generator } from "../op-case.ts";

const { in: width, out } = site;

/** With the defaults of all other fields. */
function bound(config: object): BoundMethod {
  return oft.bind(parseFields(oft.config, { block_size: 8, ...config }).value);
}

/** W' of turns whose Q has entries up to `size`, after W. */
async function turned(config: object, size: number, sign = 1) {
  const method = bound(config);
  const { data } = await startedSite(method, []);
  const next = generator(3);
  const Q = Float32Array.from(data.get("Q") ?? [], () => sign * size * (2 * next() - 1));
  const made = await evaluate(method, new Map([...data, ["Q", Q]]), (g, _x, base, params) => {
    return new Map([["weight", method.weight(g, base.dense(g), params, site.kind)]]);
  });
  return { W: Array.from(data.get("W") ?? [], Number), turned: made.get("weight") ?? [] };
}

/** W Wᵀ, all lengths and angles of the rows. */
function products(W: readonly number[]): readonly number[] {
  return Array.from({ length: out * out }, (_, place) => {
    const [a, b] = [Math.floor(place / out), place % out];
    let sum = 0;
    for (let i = 0; i < width; i++) sum += at(W, a * width + i) * at(W, b * width + i);
    return sum;
  });
}

function far(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length);
  return Math.max(...a.map((value, place) => Math.abs(value - at(b, place))));
}

describe("OFT", () => {
  for (const block_share of [false, true])
    it(`keeps lengths and angles of all rows exactly, ${block_share ? "with one block" : "with blocks of their own"}`, async () => {
      const { W, turned: after } = await turned({ use_cayley_neumann: false, block_share }, 3);
      assert(far(W, after) > 0.5, "nothing was turned");
      assert(far(products(W), products(after)) < 1e-5);
    });

  it("turns each block of inputs within itself", async () => {
    const { W, turned: after } = await turned({ use_cayley_neumann: false }, 1);
    for (let row = 0; row < out; row++)
      for (let first = 0; first < width; first += 8) {
        const norm = (values: readonly number[]) =>
          Math.hypot(...values.slice(row * width + first, row * width + first + 8));
        assert(Math.abs(norm(W) - norm(after)) < 1e-5);
      }
  });

  it("is further from orthogonal by its series the larger the turns, and nearer with more terms", async () => {
    const error = async (size: number, terms: number): Promise<number> => {
      const { W, turned: after } = await turned({ num_cayley_neumann_terms: terms }, size);
      return far(products(W), products(after));
    };
    const errors = [await error(0.02, 5), await error(0.08, 5), await error(0.08, 9)] as const;
    // The first term left out is Q⁴, once: four times the turn leaves 4⁴ times the error.
    assert(errors[1] / errors[0] > 200 && errors[1] / errors[0] < 320, `${errors[1] / errors[0]}`);
    assert(errors[2] < errors[1] / 10);
  });

  it("turns the other way by its series", async () => {
    const series = await turned({ num_cayley_neumann_terms: 40 }, 0.1);
    const exact = await turned({ use_cayley_neumann: false }, 0.1, -1);
    assert(far(series.turned, exact.turned) < 1e-5);
    assert(far(series.turned, (await turned({ use_cayley_neumann: false }, 0.1)).turned) > 0.1);
  });

  it("takes the divisor nearest to the block size, as peft does, but none of 1", () => {
    const shape = (width: number, block_size: number, block_share = false) =>
      bound({ block_size, block_share }).params({ in: width, out: 3 }).get("Q")?.shape;
    assert.deepEqual(shape(24, 8), [3, 28]);
    assert.deepEqual(shape(24, 7), [4, 15]);
    assert.deepEqual(shape(24, 11), [2, 66]);
    assert.deepEqual(shape(24, 64), [1, 276]);
    assert.deepEqual(shape(24, 8, true), [1, 28]);
    assert.deepEqual(shape(67, 32), [1, (67 * 66) / 2]);
  });

  it("brings COFT's turns down to their bound, in the weight and before each step", async () => {
    const free = await turned({}, 0.001);
    const wide = await turned({ coft: true, eps: 10 }, 0.001);
    assert.deepEqual(wide.turned, free.turned);
    // Far beyond the bound the size of Q no longer matters.
    const bounds = { coft: true, eps: 1e-3 };
    const [once, twice] = [await turned(bounds, 0.1), await turned(bounds, 0.2)];
    assert(far(once.turned, twice.turned) < 1e-7 && far(once.W, once.turned) > 1e-4);

    assert.equal(bound({ coft: false }).hooks, undefined);
    const hooks = bound({ coft: true, eps: 0.6, block_size: 3 }).hooks?.();
    const weight = Float32Array.of(3, 0, 4, 0.01, 0.02, 0.03, 0, 0, 0, 1, 1, 1);
    const site = { module: "a", tensor: () => ({ shape: [4, 3], weight, gradient: weight }) };
    const step = {
      t: 1,
      steps: 1,
      lr: 1,
      random: () => assert.fail("nothing is drawn"),
      penalty: () => undefined,
    };
    hooks?.beforeStep?.([site], step);
    const norm = (block: number): number =>
      Math.SQRT2 * Math.hypot(...weight.subarray(3 * block, 3 * block + 3));
    // eps / √4 for each block.
    assert(Math.abs(norm(0) - 0.3) < 1e-6 && Math.abs(norm(3) - 0.3) < 1e-6);
    assert.deepEqual([...weight.subarray(3, 9)], [...Float32Array.of(0.01, 0.02, 0.03, 0, 0, 0)]);
    assert(Math.abs(at(weight, 2) / at(weight, 0) - 4 / 3) < 1e-6);
  });
});
