/** @file IncreLoRA: what its gauge reads, who gains ranks and when it ends, and what stays still meanwhile. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import { matmul, mul, reduceSum, reshape, scalar } from "../../../../src/engine/core/ops.ts";
import type { HookSite, HookTensor } from "../../../../src/engine/methods/hooks.ts";
import { increlora } from "../../../../src/engine/methods/increlora.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at, invariant } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import {
  close,
  disturbed,
  evaluate,
  forward,
  rows,
  site,
  startedSite,
} from "../../../conformance/engine/site-case.ts";
import { generator } from "../op-case.ts";

const small = { r: 1, target_r: 3, max_r: 4, interval: 2, top_h: 2 };
const bound = (more: object = {}) =>
  increlora.bind(parseFields(increlora.config, { ...small, ...more }).value);

/** Modules with their tensors on the host, as a run starts them. */
function modules(count: number, more: object = {}) {
  const method = bound(more);
  const next = generator(5);
  return Array.from({ length: count }, (_, index): HookSite => {
    const tensors = new Map(
      [...method.params(site)].map(([name, { shape, trains, init }]): [string, HookTensor] => {
        const filled = (): Float32Array =>
          Float32Array.from({ length: elementCount(shape) }, () =>
            typeof init === "object" && "constant" in init
              ? init.constant
              : init === "zeros"
                ? 0
                : 0.1 * next(),
          );
        return [
          name,
          {
            shape,
            weight: filled(),
            gradient: new Float32Array(trains === false ? 0 : elementCount(shape)),
          },
        ];
      }),
    );
    return {
      module: `layers.${index}`,
      tensor(name) {
        const tensor = tensors.get(name);
        invariant(tensor, name);
        return tensor;
      },
    };
  });
}

const number = (one: HookSite, name: string): number => at(one.tensor(name).weight, 0);
const parts = (one: HookSite): readonly number[] => [...one.tensor("e").weight];

/** Runs so many steps; `score` is what the gauges read. */
function run(
  sites: readonly HookSite[],
  steps: number,
  score: (index: number, t: number) => number,
  more: object = {},
  seen?: (t: number) => void,
): void {
  const hooks = bound(more).hooks?.();
  assert(hooks);
  for (let t = 1; t <= steps; t++) {
    const step = {
      t,
      steps,
      lr: 1,
      penalty: () => undefined,
      random: () => assert.fail("nothing is drawn"),
    };
    hooks.beforeStep?.(sites, step);
    sites.forEach(({ tensor }, index) => {
      tensor("score").gradient[0] = score(index, t);
      tensor("e").gradient.fill(1);
      tensor("A").gradient.fill(0);
      tensor("B").gradient.fill(0);
    });
    hooks.afterBackward?.(sites, step);
    seen?.(t);
  }
}

const rough = (index: number, t: number): number => (index + 1) * (t % 3);

describe("IncreLoRA", () => {
  it("reads Σ |ΔW ∘ G| while it trains, by a forward that is the pair's", async () => {
    const method = bound();
    const data = disturbed(method, (await startedSite(method, [])).data);
    const training = { dropout: <T>(x: T) => x, drops: false, trains: true };
    const made = await evaluate(method, data, (g, x, base, params) => {
      const y = method.forward(g, x, base, params, training, site.kind);
      const loss = reshape(g, reduceSum(g, mul(g, y, y), [0, 1]), []);
      const score = params.get("score");
      const pair = method.pair?.(g, params, site);
      assert(score && pair?.core);
      const read = differentiate(g, new Map([[loss, scalar(g, 1)]]), [score]).get(score);
      assert(read);
      const update = matmul(g, mul(g, pair.B, pair.core), pair.A, { alpha: pair.scale });
      return new Map([["y", y], ["read", read], ["update", update]]); // prettier-ignore
    });
    const y = made.get("y") ?? [];
    close(y, (await evaluate(method, data, forward(method))).get("y"), 1e-6);
    // G = 2 yᵀ x
    const x = data.get("x") ?? [];
    const sum = (made.get("update") ?? []).reduce((total, value, place) => {
      const [o, i] = [Math.floor(place / site.in), place % site.in];
      let gradient = 0;
      for (let row = 0; row < rows; row++)
        gradient += 2 * at(y, row * site.out + o) * (x[row * site.in + i] ?? NaN);
      return total + Math.abs(value * gradient);
    }, 0);
    close(made.get("read"), [sum], 1e-6);
  });

  it("gives ranks to the modules of the highest scores, until the budget is spent and not beyond", () => {
    const sites = modules(5);
    const totals: number[] = [];
    run(sites, 30, rough, {}, () =>
      totals.push(sites.reduce((sum, one) => sum + number(one, "rank"), 0)),
    );
    assert.deepEqual(totals.slice(0, 6), [5, 5, 7, 7, 9, 9]);
    assert(totals.every((total, i) => total >= (totals[i - 1] ?? 0)));
    assert.equal(totals.at(-1), 15);
    // The last two modules read most, and take the largest rank before the two that come next.
    assert.deepEqual(
      sites.map((one) => number(one, "rank")),
      [1, 3, 3, 4, 4],
    );
    assert(
      sites.every((one) =>
        parts(one)
          .slice(number(one, "rank"))
          .every((weight) => weight === 0),
      ),
    );
  });

  it("cuts the last gain to the budget", () => {
    const sites = modules(3, { ranks_each: 3, top_h: 3 });
    run(sites, 9, rough, { ranks_each: 3, top_h: 3 });
    assert.equal(
      sites.reduce((sum, one) => sum + number(one, "rank"), 0),
      9,
    );
  });

  it("follows mean and deviation as the official code, by the square root of the matrix's size", () => {
    const sites = modules(1);
    run(sites, 2, (_, t) => 10 * t);
    const size = Math.sqrt(site.in * site.out);
    const [first, second] = [10 / size, 20 / size];
    const means = [0.15 * first, 0.85 * 0.15 * first + 0.15 * second] as const;
    close([number(at(sites, 0), "mean")], [means[1]], 1e-6);
    const spread = 0.15 * 0.85 * Math.abs(first - means[0]) + 0.15 * Math.abs(second - means[1]);
    close([number(at(sites, 0), "spread")], [spread], 1e-6);
  });

  it("keeps a reserve at 1e-5 that no gradient moves, and lets go of what was gained", () => {
    const sites = modules(2, { orthogonality: 0.1 });
    const one = at(sites, 1);
    run(sites, 1, rough);
    assert.deepEqual(parts(one), [0, Math.fround(1e-5), 0, 0]);
    assert.deepEqual([...one.tensor("e").gradient], [1, 0, 0, 0]);
    assert.equal(at(one.tensor("score").gradient, 0), 0);
    // The penalty reaches the part in reserve, and none behind it.
    const moved = [0, 1, 2, 3].map((k) =>
      one
        .tensor("A")
        .gradient.slice(k * site.in, (k + 1) * site.in)
        .some((x) => x !== 0),
    );
    assert.deepEqual(moved, [true, true, false, false]);
    run(sites, 3, rough, {});
    assert.equal(number(one, "rank"), 2);
    assert.deepEqual(
      parts(one).map((weight) => weight !== 0),
      [false, true, true, false],
    );
    run(sites, 1, rough, {});
    assert.deepEqual([...one.tensor("e").gradient], [1, 1, 0, 0]);
  });

  for (const keep_update of [false, true])
    it(`${keep_update ? "keeps" : "shrinks"} the update of a module that gains a rank`, () => {
      const sites = modules(1, { keep_update });
      const one = at(sites, 0);
      one.tensor("e").weight[0] = 0.5;
      const share = () => at(parts(one), 0) / number(one, "rank");
      run(sites, 3, rough, { keep_update });
      assert.equal(number(one, "rank"), 2);
      assert.equal(share(), keep_update ? 0.5 : 0.25);
    });

  it("has nothing to give where the start is the budget", () => {
    const sites = modules(2, { r: 3 });
    run(sites, 9, rough, { r: 3 });
    assert.deepEqual(
      sites.map((one) => number(one, "rank")),
      [3, 3],
    );
    assert(sites.every((one) => at(parts(one), 3) === 0));
  });
});
