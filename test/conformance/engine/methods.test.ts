/** @file Every linear method of the catalog keeps what the core relies on; none can be left out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../src/engine/autodiff/backward.ts";
import { initialisers, methods } from "../../../src/engine/catalog.ts";
import type { Graph, Value } from "../../../src/engine/core/graph.ts";
import { add, matmul, mul, reduceSum, reshape, scalar } from "../../../src/engine/core/ops.ts";
import type { BoundMethod, LinearMethod } from "../../../src/engine/methods/define.ts";
import { learns } from "../../../src/engine/methods/define.ts";
import { foldedB } from "../../../src/engine/methods/pair.ts";
import { ownStarts, pairStart } from "../../../src/engine/methods/pair-start.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import type { Arrays, Build } from "./site-case.ts";
import {
  close,
  configurations,
  detachedValues,
  disturbed,
  evaluate,
  forward,
  pairFacts,
  site,
  startedSite,
  still,
} from "./site-case.ts";

const linear = methods.filter((method): method is LinearMethod => method.kind === "linear");

/** y of the model itself. */
const plain: Build = (g, x, base) => new Map([["y", base.apply(g, x)]]);

for (const method of linear)
  describe(`method ${method.name}`, () => {
    it("changes nothing at its start, or says why", async () => {
      assert(method.changesAtStart === undefined || method.changesAtStart.length > 20);
      for (const bound of configurations(method)) {
        const { data, original } = await startedSite(bound, ownStarts(bound));
        const y = (await evaluate(bound, data, forward(bound))).get("y");
        const expected = await evaluate(bound, new Map([...data, ["W", original]]), plain);
        // Factors that are computed from W are rounded to float32.
        if (method.changesAtStart === undefined) close(y, expected.get("y"), 2e-5);
      }
    });

    for (const row of initialisers)
      if (method.roles && (method.roles.core !== undefined || !row.takesCore))
        it(`changes nothing with the start ${row.name}, unless that says why`, async () => {
          for (const bound of configurations(method).slice(0, 2)) {
            const roles = method.roles;
            assert(roles);
            const pair = row.bind(parseFields(row.config, {}).value);
            const starts = [pairStart(pair, roles), ...(bound.start ? [bound.start] : [])];
            const { data, original } = await startedSite(bound, starts);
            const y = (await evaluate(bound, data, forward(bound))).get("y");
            const expected = await evaluate(bound, new Map([...data, ["W", original]]), plain);
            const declared = row.changesAtStart ?? method.changesAtStart;
            if (declared === undefined) close(y, expected.get("y"), 2e-5);
          }
        });

    it("has a forward that is x times its weight", async () => {
      for (const bound of configurations(method)) {
        const data = disturbed(bound, (await startedSite(bound, ownStarts(bound))).data);
        const fast = await evaluate(bound, data, forward(bound));
        const defined = await evaluate(bound, data, (g, x, base, params) => {
          const W = bound.weight(g, base.dense(g), params, site.kind);
          return new Map([["y", matmul(g, x, W, { transB: true })]]);
        });
        // A factor such as alpha / √r is a float32 constant in one form and an attribute in the other.
        close(fast.get("y"), defined.get("y"), 1e-6);
      }
    });

    it("leaves as a pair that says the same", async () => {
      for (const bound of configurations(method)) {
        const { pair } = bound;
        // A method with a weight of its own has its pair within it.
        if (!pair || method.peft?.dora) continue;
        const data = disturbed(bound, (await startedSite(bound, ownStarts(bound))).data);
        const made = await evaluate(bound, data, (g, x, base, params) => {
          const parts = pair(g, params, site);
          const { A, scale } = parts;
          const u = matmul(g, x, A, { transB: true });
          const update = matmul(g, u, foldedB(g, parts), { transB: true, alpha: scale });
          return new Map([["y", add(g, base.apply(g, x), update)]]);
        });
        close(made.get("y"), (await evaluate(bound, data, forward(bound))).get("y"), 1e-6);
        assert(pairFacts(bound).rank > 0);
      }
    });

    it("has the gradients that differences show, and none for what is frozen", async () => {
      for (const bound of configurations(method)) {
        const data = disturbed(bound, (await startedSite(bound, ownStarts(bound))).data);
        await checkGradients(bound, data);
      }
    });

    it("has a form for export, and documents every field", () => {
      for (const bound of configurations(method)) {
        const names = [...bound.params(site)].flatMap(([name, spec]) =>
          learns(spec) ? [name] : [],
        );
        const { peft } = method;
        const held = { ...peft?.tensors, ...peft?.shared };
        if (peft) for (const name of names) assert(Object.hasOwn(held, name), name);
        assert(method.peft ?? bound.pair ?? method.mergesOnly, "nothing can be exported");
      }
      for (const [name, field] of Object.entries(method.config))
        assert(field.doc.length > 10, `${name} is not documented`);
      assert.match(method.paper, /^https:\/\//);
      assert(Object.keys(method.axes ?? {}).length > 0, "the row says nothing of its axes");
    });

    it("refuses what lies outside its bounds", () => {
      for (const [name, { shape }] of Object.entries(method.config)) {
        if (shape.kind !== "int" && shape.kind !== "number") continue;
        const { findings } = parseFields(method.config, { [name]: -1 });
        assert(
          findings.some(({ severity }) => severity === "error"),
          `${name}: -1 was taken`,
        );
      }
    });

    it("states tensors that can be held", () => {
      for (const bound of configurations(method))
        for (const [name, spec] of bound.params(site)) {
          assert(
            spec.shape.every((size) => Number.isInteger(size) && size > 0),
            name,
          );
          assert(spec.dtype === undefined || spec.trains === false, `${name} cannot train`);
          assert(spec.stored === undefined || spec.trains === false, `${name} would be lost`);
        }
    });
  });

async function checkGradients(bound: BoundMethod, data: Arrays): Promise<void> {
  const loss = (g: Graph, y: Value): Value =>
    reshape(g, reduceSum(g, mul(g, y, add(g, y, y)), [0, 1]), []);
  // What a gauge reads is no derivative.
  const trained = [...bound.params(site)].flatMap(([name, spec]) => (learns(spec) ? [name] : []));
  assert(trained.length > 0, "nothing trains");
  const names = ["x", ...trained];
  const build: Build = (g, x, base, params) =>
    new Map([["loss", loss(g, bound.forward(g, x, base, params, still, site.kind))]]);
  const gradients = await evaluate(bound, data, (g, x, base, params) => {
    const total = loss(g, bound.forward(g, x, base, params, still, site.kind));
    const wrt = [x, ...trained.flatMap((name) => params.get(name) ?? [])];
    const found = differentiate(g, new Map([[total, scalar(g, 1)]]), wrt);
    return new Map(
      names.map((name, index) => {
        const value = found.get(wrt[index] ?? x);
        assert(value, `${name} has no gradient`);
        return [name, value];
      }),
    );
  });
  const held = await detachedValues(bound, data, build);
  const at = async (name: string, index: number, change: number): Promise<number> => {
    const moved = new Map(data);
    const array = Float64Array.from(data.get(name) ?? []);
    array[index] = (array[index] ?? 0) + change;
    moved.set(name, Float32Array.from(array));
    return (await evaluate(bound, moved, build, held)).get("loss")?.[0] ?? NaN;
  };
  for (const name of names) {
    const exact = gradients.get(name) ?? [];
    const most = Math.max(1, ...exact.map(Math.abs));
    for (const index of new Set([0, 1 % exact.length, exact.length - 1])) {
      // A power of two, so that float32 holds the moved values exactly enough for the quotient.
      const step = 2 ** -10;
      const quotient =
        ((await at(name, index, step)) - (await at(name, index, -step))) / (2 * step);
      assert(
        Math.abs(quotient - (exact[index] ?? NaN)) <= 1e-3 * most,
        `${name}[${index}]: ${exact[index]} against ${quotient}`,
      );
    }
  }
}

it("finds linear methods to test", () => {
  assert(linear.length > 0);
});
