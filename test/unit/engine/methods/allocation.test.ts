/** @file Methods that allocate while they train: budgets, importance, thresholds, frozen columns and penalties, by their formulas. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { methods, rowNamed } from "../../../../src/engine/catalog.ts";
import type { BoundMethod } from "../../../../src/engine/methods/define.ts";
import type { HookSite, HookTensor, Hooks } from "../../../../src/engine/methods/hooks.ts";
import { cubicBudget } from "../../../../src/engine/methods/hooks.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import { hookSites, hookStep, size } from "./hook-case.ts";

function bound(name: string, fields: object): BoundMethod {
  const row = rowNamed(methods, name);
  assert(row.kind === "linear");
  const { value, findings } = parseFields(row.config, fields);
  assert.deepEqual(findings, []);
  return row.bind(value);
}

function opened(
  name: string,
  fields: object,
  count = 4,
): { hooks: Hooks; sites: readonly HookSite[] } {
  const method = bound(name, fields);
  const hooks = method.hooks?.();
  assert(hooks);
  return { hooks, sites: hookSites(method, count) };
}

/** Rows [count][length] of a factor: its rows, or its columns. */
function vectors(
  { shape, weight }: HookTensor,
  of: "rows" | "columns",
): readonly (readonly number[])[] {
  const [rows, columns] = [at(shape, 0), at(shape, 1)];
  const [count, length] = of === "rows" ? [rows, columns] : [columns, rows];
  return Array.from({ length: count }, (_, k) =>
    Array.from({ length }, (_, i) => at(weight, of === "rows" ? k * columns + i : i * columns + k)),
  );
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * at(b, i), 0);
const open = (site: HookSite, name: string): number =>
  site.tensor(name).weight.filter((x) => x !== 0).length;
const ranks = (sites: readonly HookSite[], name: string): number =>
  sites.reduce((sum, site) => sum + open(site, name), 0);

/** The gradient that a penalty adds is that of the value it tells. */
function checkPenalty(hooks: Hooks, sites: readonly HookSite[], value: () => number): void {
  const [site] = sites;
  assert(site);
  const before = ["A", "B"].map((name) => site.tensor(name).gradient.slice());
  const step = hookStep(2, 10);
  const expected = value();
  hooks.afterBackward?.(sites, step);
  assert(Math.abs(step.told - expected) < 1e-6, `${step.told} is not ${expected}`);
  for (const [index, name] of ["A", "B"].entries()) {
    const { weight, gradient } = site.tensor(name);
    for (const place of [0, weight.length - 1]) {
      const [held, eps] = [at(weight, place), 2 ** -8];
      weight[place] = held + eps;
      const above = value();
      weight[place] = held - eps;
      const slope = (above - value()) / (2 * eps);
      weight[place] = held;
      const added = at(gradient, place) - at(at(before, index), place);
      assert(Math.abs(added - slope) < 1e-3, `${name}: ${added} is not ${slope}`);
    }
  }
}

it("the cubic budget stays, falls and ends where it is told to", () => {
  const range = { first: 12, last: 4, from: 2, to: 10 };
  assert.deepEqual(
    [1, 2, 10, 11].map((t) => cubicBudget(t, range)),
    [12, 12, 4, 4],
  );
  assert.equal(cubicBudget(6, range), 4 + 8 * 0.5 ** 3);
});

describe("adalora", () => {
  const fields = { r: 4, target_r: 2, alpha: 4, first_steps: 1, last_steps: 3, interval: 2 };

  it("ends at its budget, which does not return", () => {
    const { hooks, sites } = opened("adalora", fields);
    const left = Array.from({ length: 10 }, (_, index) => {
      hooks.afterStep?.(sites, hookStep(index + 1, 10));
      // What is closed may be opened by an update, until the last choice.
      const now = ranks(sites, "E");
      for (const site of sites) site.tensor("E").weight.forEach((x, k, E) => (E[k] = x || 0.1));
      return now;
    });
    assert.deepEqual(left.slice(6), [8, 8, 8, 8]);
    // Between two choices nothing is closed; a choice takes away, by the cubic.
    const range = { first: 16, last: 8, from: 1, to: 7 };
    const expected = [1, 2, 3, 4, 5, 6].map((t) =>
      t % 2 === 1 ? 16 : Math.floor(cubicBudget(t, range)),
    );
    assert.deepEqual(left.slice(0, 6), expected);
  });

  it("keeps the ranks whose products of averages are largest", () => {
    const { hooks, sites } = opened(
      "adalora",
      { ...fields, target_r: 1, first_steps: 0, last_steps: 1 },
      2,
    );
    // After one step mean = 0.15 |w g| and spread = 0.15 · 0.85 |w g|.
    const score = ({ tensor }: HookSite, k: number): number => {
      const own = (name: string, place: number): number => {
        const { weight, gradient } = tensor(name);
        const importance = Math.abs(at(weight, place) * at(gradient, place));
        return 0.15 * importance * (0.15 * 0.85 * importance);
      };
      const mean = (name: string, places: readonly number[]): number =>
        places.reduce((sum, place) => sum + own(name, place), 0) / places.length;
      const columns = Array.from({ length: size.in }, (_, i) => k * size.in + i);
      const rows = Array.from({ length: size.out }, (_, o) => o * 4 + k);
      return own("E", k) + mean("A", columns) + mean("B", rows);
    };
    const expected = sites
      .flatMap((site) =>
        [0, 1, 2, 3].map((k) => ({ name: `${site.module} ${k}`, score: score(site, k) })),
      )
      .toSorted((a, b) => b.score - a.score)
      .slice(0, 2)
      .map(({ name }) => name);
    hooks.afterStep?.(sites, hookStep(1, 2));
    const kept = sites.flatMap((site) =>
      [...site.tensor("E").weight].flatMap((x, k) => (x === 0 ? [] : [`${site.module} ${k}`])),
    );
    assert.deepEqual(kept.toSorted(), expected.toSorted());
  });

  it("adds the penalty that it tells, and its gradient", () => {
    const { hooks, sites } = opened("adalora", { ...fields, orthogonality: 0.5 }, 2);
    checkPenalty(hooks, sites, () => {
      const norms = sites.flatMap((site) =>
        (
          [
            ["A", "rows"],
            ["B", "columns"],
          ] as const
        ).map(([name, of]) => {
          const all = vectors(site.tensor(name), of);
          return Math.hypot(
            ...all.flatMap((a, j) => all.map((b, k) => dot(a, b) - (j === k ? 1 : 0))),
          );
        }),
      );
      return (0.5 * norms.reduce((sum, x) => sum + x, 0)) / norms.length;
    });
  });
});

describe("dynamic_dora", () => {
  const fields = { r: 4, target_r: 2, alpha: 4, interval: 1, first_share: 0.1, last_share: 0.5 };

  it("ends at its budget; what is left out may return until then and not afterwards", () => {
    const { hooks, sites } = opened("dynamic_dora", fields);
    const revive = (): void => {
      for (const site of sites) site.tensor("c").weight.forEach((x, k, c) => (c[k] = x || 5));
    };
    const left: number[] = [];
    for (let t = 1; t <= 10; t++) {
      revive();
      hooks.afterStep?.(sites, hookStep(t, 10));
      left.push(ranks(sites, "c"));
    }
    assert.deepEqual(left.slice(4), [8, 8, 8, 8, 8, 8]);
    assert.equal(left[0], 16);
    assert(left.every((count, index) => index === 0 || count <= at(left, index - 1)));
  });

  it("measures a part by its share of the update's norm", () => {
    const { hooks, sites } = opened("dynamic_dora", { ...fields, beta: 0 }, 1);
    const [site] = sites;
    assert(site);
    const [A, B, c] = ["A", "B", "c"].map((name) => site.tensor(name));
    assert(A && B && c);
    const [as, bs] = [vectors(A, "rows"), vectors(B, "columns")];
    const update = Array.from({ length: size.out * size.in }, (_, place) =>
      [0, 1, 2, 3].reduce((sum, k) => {
        const [row, column] = [Math.floor(place / size.in), place % size.in];
        return sum + at(at(bs, k), row) * at(c.weight, k) * at(at(as, k), column);
      }, 0),
    );
    const expected = [0, 1, 2, 3].map((k) => {
      const [a, b] = [at(as, k), at(bs, k)];
      return (Math.abs(at(c.weight, k)) * Math.sqrt(dot(a, a) * dot(b, b))) / Math.hypot(...update);
    });
    hooks.afterStep?.(sites, hookStep(1, 100));
    [...site.tensor("mean").weight].forEach((value, k) => {
      assert(Math.abs(value - at(expected, k)) < 1e-6, `${value} is not ${at(expected, k)}`);
    });
  });

  it("adds the variance that it tells, and its gradient, until the last choice alone", () => {
    const { hooks, sites } = opened("dynamic_dora", { ...fields, variance: 0.3 }, 2);
    checkPenalty(hooks, sites, () => {
      const spread = (values: readonly number[]): number => {
        const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
        return values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
      };
      const parts = sites.flatMap((site) =>
        (
          [
            ["A", "rows"],
            ["B", "columns"],
          ] as const
        ).map(([name, of]) => {
          const all = vectors(site.tensor(name), of).map(spread);
          return all.reduce((sum, x) => sum + x, 0) / all.length;
        }),
      );
      return (0.3 * parts.reduce((sum, x) => sum + x, 0)) / parts.length;
    });
    const late = hookStep(6, 10);
    hooks.afterBackward?.(sites, late);
    assert.equal(late.told, 0);
  });
});

describe("sora", () => {
  it("brings gates toward zero by the threshold, and the more so the larger it is", () => {
    const left = [0.1, 0.3, 0.6].map((threshold) => {
      const { hooks, sites } = opened("sora", { r: 8, threshold }, 1);
      const [site] = sites;
      assert(site);
      const before = site.tensor("g").weight.slice();
      hooks.afterStep?.(sites, hookStep(1, 10));
      [...site.tensor("g").weight].forEach((x, k) => {
        const g = at(before, k);
        assert(Math.abs(x - Math.sign(g) * Math.max(Math.abs(g) - threshold, 0)) < 1e-6);
      });
      return open(site, "g");
    });
    assert(at(left, 0) >= at(left, 1) && at(left, 1) >= at(left, 2) && at(left, 0) > at(left, 2));
  });
});

describe("dylora", () => {
  const trace = (
    update: string,
  ): { readonly ranks: number[]; readonly sites: readonly HookSite[] } => {
    const { hooks, sites } = opened("dylora", { r: 4, update }, 2);
    const drawn: number[] = [];
    for (let t = 1; t <= 30; t++) {
      hooks.beforeStep?.(sites, hookStep(t, 30));
      const [first, second] = sites.map((site) => [...site.tensor("on").weight]);
      assert(first && second);
      assert.deepEqual(first, second, "all modules take one rank");
      const rank = first.filter((x) => x === 1).length;
      assert.deepEqual(
        first,
        [0, 1, 2, 3].map((k) => (k < rank ? 1 : 0)),
        "the first ranks",
      );
      drawn.push(rank);
      const before = sites.map((site) => vectors(site.tensor("A"), "rows"));
      // An update with momentum moves everything.
      for (const site of sites) for (const name of ["A", "B"]) site.tensor(name).weight.forEach((x, i, w) => (w[i] = x + 0.01)); // prettier-ignore
      hooks.afterStep?.(sites, hookStep(t, 30));
      for (const [index, site] of sites.entries()) {
        const after = vectors(site.tensor("A"), "rows");
        after.forEach((row, k) => {
          const moves = update === "last" ? k === rank - 1 : k < rank;
          const same = row.every((x, i) => x === at(at(at(before, index), k), i));
          assert.equal(!same, moves, `row ${k} at rank ${rank}, ${update}`);
        });
      }
    }
    return { ranks: drawn, sites };
  };

  it("draws every rank, and moves those of the step alone", () => {
    for (const update of ["all", "last"]) {
      const { ranks: drawn, sites } = trace(update);
      assert.deepEqual([...new Set(drawn)].toSorted(), [1, 2, 3, 4]);
      for (const site of sites) assert(site.tensor("on").weight.every((x) => x === 1));
    }
  });
});

describe("lamda", () => {
  it("freezes ⌊r t / (freeze T)⌋ columns of B, whatever the optimizer's momentum", () => {
    const { hooks, sites } = opened("lamda", { r: 4, freeze: 0.5 }, 1);
    const [site] = sites;
    assert(site);
    for (let t = 1; t <= 8; t++) {
      hooks.beforeStep?.(sites, hookStep(t, 8));
      const before = vectors(site.tensor("B"), "columns");
      site.tensor("B").weight.forEach((x, i, B) => (B[i] = x + 0.01));
      hooks.afterStep?.(sites, hookStep(t, 8));
      const frozen = Math.min(4, Math.floor((4 * (t - 1)) / (0.5 * 8)));
      vectors(site.tensor("B"), "columns").forEach((column, k) => {
        const same = column.every((x, i) => x === at(at(before, k), i));
        assert.equal(same, k < frozen, `column ${k} in step ${t}`);
      });
    }
  });
});
