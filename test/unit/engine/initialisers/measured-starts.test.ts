/** @file What the papers say of EVA, CorDA, LoRA-GA, LoRA-SB and the FISH mask holds on a small site. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import { corda } from "../../../../src/engine/initialisers/corda.ts";
import type { Initialiser, StartedPair } from "../../../../src/engine/initialisers/define.ts";
import { eva } from "../../../../src/engine/initialisers/eva.ts";
import { loraGa } from "../../../../src/engine/initialisers/lora-ga.ts";
import { loraSb } from "../../../../src/engine/initialisers/lora-sb.ts";
import { pissa } from "../../../../src/engine/initialisers/pissa.ts";
import { fish } from "../../../../src/engine/methods/fish.ts";
import type { StartContext } from "../../../../src/engine/methods/start.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { at, invariant } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";

const linalg = createLinalg(kernelBytes("linalg"));
const site = { module: "a", in: 8, out: 6 };
const rank = 2;
const scale = 2;
const W = values(site.out * site.in, 1);
const G = values(site.out * site.in, 2);

describe("corda", () => {
  it("is PiSSA where the covariance is the identity", async () => {
    const same = await start(corda, {}, { inputs: covariance((i, j) => (i === j ? 1 : 0)) });
    const plain = await start(pissa, {});
    // Damping 0.01 of the identity scales C, which moves √1.01 from A to B.
    near(product(same), product(plain), 1e-5);
  });

  it("divides W between its two modes", async () => {
    const inputs = covariance((i, j) => (i === j ? 1 + i : 0.1));
    const all = site.out;
    const [most, least] = [
      await start(corda, { mode: "ipm" }, { inputs, rank: 2 }),
      await start(corda, { mode: "kpm" }, { inputs, rank: all - 2 }),
    ];
    const both = product(least, all - 2).map((value, place) => value + at(product(most), place));
    near(both, W, 1e-4);
  });
});

describe("eva", () => {
  const two = async (rho: number) => {
    const flat = { module: "flat", in: 4, out: 4 };
    const steep = { module: "steep", in: 4, out: 4 };
    const of = (largest: number) => ({
      rows: 100,
      batches: 1,
      secondMoment: Float64Array.from({ length: 16 }, (_, place) =>
        place % 5 === 0 ? (place === 0 ? largest : 1) : 0,
      ),
      sum: new Float64Array(4),
    });
    const found = await bound(eva, { rho }).allocate?.([
      { site: flat, ctx: { ...context(), inputs: () => Promise.resolve(of(1.1)) } },
      { site: steep, ctx: { ...context(), inputs: () => Promise.resolve(of(100)) } },
    ]);
    invariant(found, "eva allocates nothing");
    return found;
  };

  it("keeps the sum of ranks, and every rank at rho 1", async () => {
    const sizes = (found: Awaited<ReturnType<typeof two>>): readonly number[] =>
      [...found.values()].map(({ size }) => size);
    assert.deepEqual(sizes(await two(1)), [2, 2]);
    // The steep site's second direction explains less than each of the flat one's.
    assert.deepEqual(sizes(await two(2)), [3, 1]);
  });

  it("starts A with orthonormal rows and B with zeros", async () => {
    const kept = (await two(1)).get("flat")?.kept;
    invariant(kept, "nothing was kept");
    const A = [...kept];
    for (const [i, j] of [
      [0, 0],
      [0, 1],
      [1, 1],
    ] as const)
      assert(
        Math.abs(dot(A.slice(4 * i, 4 * i + 4), A.slice(4 * j, 4 * j + 4)) - Number(i === j)) <
          1e-6,
      );
    const started = await bound(eva, {}).run({ ...site, in: 4, out: 4 }, { ...context(), kept });
    assert(started.B.every((value) => value === 0));
    assert.equal(started.subtract, false);
  });

  it("says how many tokens it takes", async () => {
    const inputs = {
      rows: 3,
      batches: 1,
      secondMoment: new Float64Array(64),
      sum: new Float64Array(8),
    };
    await assert.rejects(
      async () =>
        bound(eva, {}).allocate?.([
          { site, ctx: { ...context(), inputs: () => Promise.resolve(inputs) } },
        ]),
      { code: "too-few-calibration-tokens" },
    );
  });
});

describe("lora_ga", () => {
  it("lets the first step take the best part of the gradient of rank 2 r", async () => {
    const { A, B } = await start(loraGa, { scale: "unit" });
    const [BBG, GAA] = [
      multiply(
        multiply([...B], transposed([...B], site.out, rank), site.out, rank, site.out),
        [...G],
        site.out,
        site.out,
        site.in,
      ),
      multiply(
        [...G],
        multiply(transposed([...A], rank, site.in), [...A], site.in, rank, site.in),
        site.out,
        site.in,
        site.in,
      ),
    ];
    const { U, sigma, Vt } = await linalg.svd({
      rows: site.out,
      columns: site.in,
      data: Float64Array.from(G),
    });
    const best = Array.from({ length: G.length }, (_, place) => {
      const [row, column] = [Math.floor(place / site.in), place % site.in];
      return [0, 1, 2, 3].reduce(
        (sum, k) =>
          sum + at(U.data, row * U.columns + k) * at(sigma, k) * at(Vt.data, k * site.in + column),
        0,
      );
    });
    near(
      BBG.map((value, place) => value + at(GAA, place)),
      best,
      1e-3,
    );
  });

  it("scales both factors by the paper, one by peft", async () => {
    const norm = (x: Float32Array): number => Math.hypot(...x.subarray(0, 1), ...x.subarray(1));
    const unit = await start(loraGa, { scale: "unit" });
    const stable = await start(loraGa, { scale: "stable" });
    const factor = site.out ** 0.25 / 4;
    assert(Math.abs(norm(stable.A) / norm(unit.A) - factor) < 1e-5);
    assert(Math.abs(norm(stable.B) / norm(unit.B) - factor) < 1e-5);
    const peft = await start(loraGa, { variant: "peft", scale: "stable" });
    assert(Math.abs(norm(peft.A) / norm(unit.A) - 1) < 1e-5);
  });
});

describe("lora_sb", () => {
  it("begins with the best part of the first step of rank r", async () => {
    const { A, B, core, subtract } = await start(loraSb, {});
    assert(core);
    assert.equal(subtract, false);
    const step = 1e-3 / 5;
    const update = Float64Array.from(G, (value) => -step * Math.sign(value));
    const { U, sigma, Vt } = await linalg.svd({ rows: site.out, columns: site.in, data: update });
    const best = Array.from(update, (_, place) =>
      [0, 1].reduce(
        (sum, k) =>
          sum +
          at(U.data, Math.floor(place / site.in) * U.columns + k) *
            at(sigma, k) *
            at(Vt.data, k * site.in + (place % site.in)),
        0,
      ),
    );
    const left = multiply([...B], [...core], site.out, rank, rank);
    near(
      multiply(left, [...A], site.out, rank, site.in).map((value) => scale * value),
      best,
      1e-4,
    );
  });
});

describe("fish", () => {
  const allocate = async (factor: number) => {
    const parsed = parseFields(fish.config, { share: 0.1 }).value;
    const start = fish.bind(parsed).start;
    const sites = [1, 2, 3].map((seed) => ({
      site: { ...site, module: `m${seed}` },
      ctx: {
        ...context(),
        fisher: () => Promise.resolve(values(48, seed).map((value) => factor * seed * value ** 2)),
      },
    }));
    const found = await start?.allocate?.(sites);
    invariant(found, "fish allocates nothing");
    return found;
  };

  it("spends its budget exactly, on the largest of all sites", async () => {
    const found = await allocate(1);
    const sizes = [...found.values()].map(({ size }) => size);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      Math.floor(0.1 * 3 * 48),
    );
    const chosen = [1, 2, 3].flatMap((seed) =>
      [...(found.get(`m${seed}`)?.kept ?? [])].map(
        (place) => seed * at(values(48, seed), place) ** 2,
      ),
    );
    const all = [1, 2, 3].flatMap((seed) =>
      [...values(48, seed)].map((value) => seed * value ** 2),
    );
    near(
      chosen.toSorted((a, b) => b - a),
      all.toSorted((a, b) => b - a).slice(0, chosen.length),
      1e-6,
    );
  });

  it("chooses the same however the loss is scaled", async () => {
    assert.deepEqual(await allocate(64), await allocate(1));
  });
});

function start(
  row: Initialiser,
  fields: Readonly<Record<string, unknown>>,
  more: { readonly inputs?: StartContext["inputs"]; readonly rank?: number } = {},
): Promise<StartedPair> {
  return bound(row, fields).run(site, { ...context(), ...more });
}

function bound(row: Initialiser, fields: Readonly<Record<string, unknown>>) {
  const { value, findings } = parseFields(row.config, fields);
  assert.deepEqual(findings, []);
  return row.bind(value);
}

function context(): StartContext {
  const unused = (): never => assert.fail("not read");
  return {
    linalg,
    rank,
    scale,
    run: { steps: 50, warmupSteps: 5, learningRate: 1e-3 },
    weight: () => Promise.resolve(W),
    inputs: unused,
    gradient: () => Promise.resolve(G),
    fisher: unused,
    kept: undefined,
    random: unused,
    value: unused,
  };
}

function covariance(of: (i: number, j: number) => number): StartContext["inputs"] {
  const secondMoment = Float64Array.from({ length: site.in ** 2 }, (_, place) =>
    of(Math.floor(place / site.in), place % site.in),
  );
  return () =>
    Promise.resolve({ rows: 10, batches: 1, secondMoment, sum: new Float64Array(site.in) });
}

/** scale B A. */
function product({ A, B }: StartedPair, r = rank): readonly number[] {
  return multiply([...B], [...A], site.out, r, site.in).map((value) => scale * value);
}

function multiply(
  a: readonly number[],
  b: readonly number[],
  rows: number,
  inner: number,
  columns: number,
): readonly number[] {
  return Array.from({ length: rows * columns }, (_, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += at(a, row * inner + k) * at(b, k * columns + column);
    return sum;
  });
}

function transposed(a: readonly number[], rows: number, columns: number): readonly number[] {
  return Array.from({ length: rows * columns }, (_, place) =>
    at(a, (place % rows) * columns + Math.floor(place / rows)),
  );
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, place) => sum + value * at(b, place), 0);
}

/** Numbers that look drawn. */
function values(count: number, seed: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, place) => Math.sin(12.9898 * (place + 1) + 78.233 * seed) * (1 + (place % 3)),
  );
}

function near(made: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(made.length, expected.length);
  const largest = Math.max(...Array.from(expected, Math.abs));
  for (let place = 0; place < expected.length; place++) {
    const error = Math.abs(at(made, place) - at(expected, place));
    assert(
      error <= tolerance * largest,
      `${at(made, place)} is not ${at(expected, place)} at ${place}`,
    );
  }
}
