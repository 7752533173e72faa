/** @file Update rules by what their papers promise: state, rank of the update, and the rule that each becomes at an end of its range. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import { optimizers, rowNamed } from "../../../../src/engine/catalog.ts";
import { createOptimizer } from "../../../../src/engine/network/optimizer.ts";
import type { Parameters, ParameterSpec } from "../../../../src/engine/network/parameters.ts";
import { createParameters } from "../../../../src/engine/network/parameters.ts";
import { createProgramCache } from "../../../../src/engine/network/program-cache.ts";
import type { BoundRule } from "../../../../src/engine/optimizers/define.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import { generator } from "../op-case.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const linalg = createLinalg(kernelBytes("linalg"));
const [tall, wide] = [
  [12, 7],
  [6, 10],
] as const;
const specs: readonly ParameterSpec[] = [
  { name: "tall", shape: tall, decays: true, kind: "linear" },
  { name: "wide", shape: wide, decays: true, kind: "linear" },
];

function bound(name: string, fields: object): BoundRule {
  const row = rowNamed(optimizers, name);
  const { value, findings } = parseFields(row.config, fields);
  assert.deepEqual(findings, []);
  return row.bind(value);
}

/** Steps on gradients that follow from step and place; what each of them added to the weights. */
async function stepped(
  rule: BoundRule,
  steps: number,
  gradientOf: (next: () => number, place: number) => number = (next) => 2 * next() - 1,
): Promise<{ parameters: Parameters; updates: ReadonlyMap<string, readonly number[]>[] }> {
  const parameters = createParameters(specs, rule);
  const optimizer = createOptimizer(backend, createProgramCache(backend), parameters, rule, {
    linalg: () => linalg,
  });
  const updates: ReadonlyMap<string, readonly number[]>[] = [];
  const next = generator(4);
  for (let t = 1; t <= steps; t++) {
    const before = new Map(specs.map(({ name }) => [name, parameters.get(name).weight.slice()]));
    for (const { name } of specs)
      parameters.get(name).gradient.forEach((_, i, g) => (g[i] = gradientOf(next, i)));
    await optimizer.step({ t, lr: 0.1, gradientScale: 1 });
    updates.push(
      new Map(
        specs.map(({ name }) => {
          const held = before.get(name) ?? new Float32Array(0);
          return [name, Array.from(parameters.get(name).weight, (w, i) => w - at(held, i))];
        }),
      ),
    );
  }
  return { parameters, updates };
}

async function rankOf(
  values: readonly number[],
  [rows, columns]: readonly [number, number],
): Promise<number> {
  const { sigma } = await linalg.svd({ rows, columns, data: Float64Array.from(values) });
  return sigma.filter((value) => value > 1e-4 * at(sigma, 0)).length;
}

describe("galore", () => {
  const fields = { rank: 3, update_proj_gap: 4, weight_decay: 0 };

  it("holds r · min + 2 r · max numbers a matrix, projects on orthonormal vectors, and moves within their rank", async () => {
    const { parameters, updates } = await stepped(bound("galore", fields), 4);
    for (const [name, shape] of [
      ["tall", tall],
      ["wide", wide],
    ] as const) {
      const [short, long] = [Math.min(...shape), Math.max(...shape)];
      const states = [...parameters.statesOf(name).values()];
      assert.equal(
        states.reduce((sum, { data }) => sum + data.length, 0),
        3 * short + 2 * 3 * long,
      );
      const P = parameters.state(name, "P");
      const entry = (k: number, i: number): number =>
        at(P, name === "tall" ? k * short + i : i * 3 + k);
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 3; k++) {
          let dot = 0;
          for (let i = 0; i < short; i++) dot += entry(j, i) * entry(k, i);
          assert(Math.abs(dot - (j === k ? 1 : 0)) < 1e-5);
        }
      const moves = updates.map((own) => own.get(name) ?? []);
      const sum = at(moves, 0).map((_, i) => moves.reduce((all, move) => all + at(move, i), 0));
      assert.equal(await rankOf(sum, shape), 3);
    }
  });

  it("is fira where the projection leaves nothing out, which else moves beyond its rank", async () => {
    const whole = { ...fields, rank: 12 };
    const [one, other] = [
      await stepped(bound("galore", whole), 3),
      await stepped(bound("fira", whole), 3),
    ];
    for (const { name } of specs) {
      const expected = one.parameters.get(name).weight;
      other.parameters.get(name).weight.forEach((w, i) => {
        assert(Math.abs(w - at(expected, i)) < 1e-5);
      });
    }
    const { updates, parameters } = await stepped(bound("fira", fields), 1);
    assert((await rankOf(updates[0]?.get("tall") ?? [], tall)) > 3);
    assert.equal(parameters.state("tall", "norm").length, 1);
  });
});

describe("adam_mini", () => {
  it("is AdamW where a row's gradients are as large as one another, with one square for each row", async () => {
    const fields = { weight_decay: 0, eps: 1e-8 };
    const even = (_: () => number, place: number): number => (place % 2 === 0 ? 0.3 : -0.3);
    const [one, other] = [
      await stepped(bound("adam_mini", fields), 3, even),
      await stepped(bound("adamw", fields), 3, even),
    ];
    for (const { name, shape } of specs) {
      const expected = other.parameters.get(name).weight;
      one.parameters.get(name).weight.forEach((w, i) => {
        assert(Math.abs(w - at(expected, i)) < 1e-6);
      });
      const states = [...one.parameters.statesOf(name).values()];
      const numbers = states.reduce((sum, { data }) => sum + data.length, 0);
      assert.equal(numbers, at(shape, 0) * at(shape, 1) + at(shape, 0));
    }
  });
});
