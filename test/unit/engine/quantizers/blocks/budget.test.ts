/** @file Allocation within a budget against a search through all allocations; the search over one number. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  allocateBest,
  allocateByPrice,
  allocateExactly,
  allocateInOrder,
  type Choice,
} from "../../../../../src/engine/quantizers/blocks/budget.ts";
import { evenly, searchLine } from "../../../../../src/engine/quantizers/blocks/line-search.ts";
import { pseudoRandom } from "../../../kernels/pseudo-random.ts";

/** Every allocation of a case. */
function every(matrices: readonly (readonly Choice[])[]): readonly Choice[] {
  return matrices.reduce<readonly Choice[]>(
    (all, choices) =>
      all.flatMap(({ cost, size }) =>
        choices.map((choice) => ({ cost: cost + choice.cost, size: size + choice.size })),
      ),
    [{ cost: 0, size: 0 }],
  );
}

/** Matrices whose cost falls with their bits, but not evenly. */
function makeCase(seed: number): readonly (readonly Choice[])[] {
  const random = pseudoRandom(seed);
  return Array.from({ length: 5 }, () => {
    const weights = 1 + Math.floor(random() * 6);
    const base = random() * 10;
    return [2, 3, 4, 8].map((bits) => ({
      cost: base * 4 ** -bits * (0.5 + random()),
      size: bits * weights,
    }));
  });
}

describe("an order of steps", () => {
  it("takes levels one after the other, within them what saves most, and what fits of them from the beginning", () => {
    const choices = (costs: readonly number[], size: number) =>
      costs.map((cost, i) => ({ cost, size: size * (i + 1) }));
    const matrices = [choices([9, 5, 1], 2), choices([9, 2, 1], 3), choices([3, 2], 1)];
    const at = (budget: number) => allocateInOrder(matrices, budget)?.chosen;
    assert.equal(at(5), undefined);
    assert.deepEqual(at(6), [0, 0, 0]);
    // The middle one's second saves 7, the first one's 4, the last one's 1, which would have fitted before.
    assert.deepEqual(at(7), [0, 0, 0]);
    assert.deepEqual(at(9), [0, 1, 0]);
    assert.deepEqual(at(11), [1, 1, 0]);
    assert.deepEqual(at(12), [1, 1, 1]);
    assert.deepEqual(at(14), [2, 1, 1]);
    assert.deepEqual(at(99), [2, 2, 1]);
  });
});

describe("a budget", () => {
  it("is shared out exactly where that is possible", () => {
    for (let seed = 1; seed <= 5; seed++)
      assert.deepEqual(allocateBest(makeCase(seed), 60), allocateExactly(makeCase(seed), 60));
  });

  it("is met exactly as well as can be by dynamic programming, and never passed by any", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const matrices = makeCase(seed);
      const all = every(matrices);
      const sizes = all.map(({ size }) => size);
      const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
      for (const share of [0, 0.2, 0.5, 0.8, 1]) {
        const budget = least + share * (most - least);
        const fitting = all.filter(({ size }) => size <= budget);
        const best = Math.min(...fitting.map(({ cost }) => cost));
        const exact = allocateExactly(matrices, budget);
        assert.ok(exact !== undefined && exact.size <= budget);
        assert.ok(Math.abs(exact.cost - best) <= 1e-12 * best);
        const priced = allocateByPrice(matrices, budget);
        assert.ok(
          priced !== undefined && priced.size <= budget && priced.cost >= best * (1 - 1e-12),
        );
        const within = all.filter(({ size }) => size <= priced.size);
        const bestWithin = Math.min(...within.map(({ cost }) => cost));
        assert.ok(priced.cost <= bestWithin * (1 + 1e-9), `seed ${seed}`);
      }
    }
  });
  it("beats one configuration for all of the same size", () => {
    const matrices = makeCase(77);
    for (const uniform of [0, 1, 2, 3]) {
      const same = matrices.map((choices) => choices[uniform] ?? { cost: NaN, size: NaN });
      const budget = same.reduce((sum, { size }) => sum + size, 0);
      const cost = same.reduce((sum, choice) => sum + choice.cost, 0);
      assert.ok((allocateExactly(matrices, budget)?.cost ?? NaN) <= cost * (1 + 1e-12));
    }
  });
  it("too small for the smallest has no answer", () => {
    const matrices = [[{ cost: 1, size: 5 }], [{ cost: 1, size: 6 }]];
    for (const allocate of [allocateExactly, allocateByPrice]) {
      assert.equal(allocate(matrices, 10), undefined);
      assert.deepEqual(allocate(matrices, 11)?.chosen, [0, 0]);
      assert.deepEqual(allocate([], 0), { chosen: [], cost: 0, size: 0 });
      assert.throws(() => allocate([[]], 1), RangeError);
      assert.throws(() => allocate([[{ cost: NaN, size: 1 }]], 1), RangeError);
    }
  });
});

describe("the search over one number", () => {
  it("takes the least loss, of equal ones the first, and passes NaN over", async () => {
    const losses = [3, NaN, 1, 2, 1];
    const found = await searchLine(evenly(0, 0.05, 5), (_, i) => losses[i] ?? NaN);
    assert.deepEqual(found, { value: 0.1, loss: 1, index: 2 });
    const same = await searchLine([0, 1, 2], () => Promise.resolve(7));
    assert.equal(same.value, 0);
  });
  it("refuses to choose from nothing", async () => {
    await assert.rejects(
      searchLine([], () => 0),
      RangeError,
    );
    await assert.rejects(
      searchLine([1], () => NaN),
      RangeError,
    );
  });
});
