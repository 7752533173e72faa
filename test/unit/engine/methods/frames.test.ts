/** @file Methods between frozen factors, from bases and on parts of W: what their papers promise of starts, counts and gradients. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import { initialisers, methods, rowNamed } from "../../../../src/engine/catalog.ts";
import { constant, mul, reduceSum, reshape, scalar } from "../../../../src/engine/core/ops.ts";
import type { BoundMethod } from "../../../../src/engine/methods/define.ts";
import type { Start } from "../../../../src/engine/methods/start.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import type { Arrays } from "../../../conformance/engine/site-case.ts";
import { evaluate, rows, site, startedSite, still } from "../../../conformance/engine/site-case.ts";
import { ownStarts, pairStart } from "../../../../src/engine/methods/pair-start.ts";
import { generator } from "../op-case.ts";

const linalg = createLinalg(kernelBytes("linalg"));
const short = Math.min(site.in, site.out);

function bound(name: string, fields: object = {}): BoundMethod {
  const row = rowNamed(methods, name);
  assert(row.kind === "linear");
  const { value, findings } = parseFields(row.config, fields);
  assert.deepEqual(findings, []);
  return row.bind(value);
}

async function started(method: BoundMethod, starts: readonly Start[] = ownStarts(method)) {
  const { data, original } = await startedSite(method, starts);
  const array = (name: string): readonly number[] => Array.from(data.get(name) ?? [], Number);
  return { data, original: [...original], array };
}

function trainedCount(method: BoundMethod): number {
  return [...method.params(site).values()].reduce(
    (sum, { shape, trains }) => sum + (trains === false ? 0 : elementCount(shape)),
    0,
  );
}

/** [rows, columns] times [columns, width]. */
function product(a: readonly number[], b: readonly number[], columns: number): readonly number[] {
  const width = b.length / columns;
  return Array.from({ length: (a.length / columns) * width }, (_, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += at(a, row * columns + k) * at(b, k * width + column);
    return sum;
  });
}

function transposed(a: readonly number[], columns: number): readonly number[] {
  const count = a.length / columns;
  return Array.from({ length: a.length }, (_, place) =>
    at(a, (place % count) * columns + Math.floor(place / count)),
  );
}

function near(made: readonly number[], expected: readonly number[], tolerance = 1e-4): void {
  assert.equal(made.length, expected.length);
  made.forEach((x, i) => {
    assert(
      Math.abs(x - at(expected, i)) <= tolerance * Math.max(1, Math.abs(at(expected, i))),
      `${x} is not ${at(expected, i)} at ${i}`,
    );
  });
}

const identity = (size: number): readonly number[] =>
  Array.from({ length: size * size }, (_, place) => (place % (size + 1) === 0 ? 1 : 0));

/** Gradients of Σ y ∘ R by the method's tensors, and by the whole weight: G = Rᵀ x. */
async function gradients(method: BoundMethod, data: Arrays) {
  const next = generator(3);
  const R = Float32Array.from({ length: rows * site.out }, () => 2 * next() - 1);
  const names = [...method.params(site)].flatMap(([name, { trains }]) =>
    trains === false ? [] : [name],
  );
  const found = await evaluate(method, data, (g, x, base, params) => {
    const y = method.forward(g, x, base, params, still, site.kind);
    const weighted = mul(g, y, constant(g, "float32", [rows, site.out], R));
    const loss = reshape(g, reduceSum(g, weighted, [0, 1]), []);
    const wrt = names.flatMap((name) => params.get(name) ?? []);
    const made = differentiate(g, new Map([[loss, scalar(g, 1)]]), wrt);
    return new Map(
      names.flatMap((name, index) => {
        const value = made.get(at(wrt, index));
        return value ? [[name, value] as const] : [];
      }),
    );
  });
  const x = Array.from(data.get("x") ?? [], Number);
  return {
    of: (name: string) => found.get(name) ?? [],
    G: product(transposed([...R], site.out), x, rows),
  };
}

describe("pissa", () => {
  it("takes the largest part off, split evenly between both factors", async () => {
    const method = bound("lora", { r: 4, alpha: 12 });
    const row = rowNamed(initialisers, "pissa");
    assert(method.roles);
    const pair = row.bind(parseFields(row.config, {}).value);
    const { array, original } = await started(method, [pairStart(pair, method.roles)]);
    const W = { rows: site.out, columns: site.in, data: Float64Array.from(original) };
    const { sigma } = await linalg.svd(W);
    const rest = await linalg.svd({ ...W, data: Float64Array.from(array("W")) });
    assert(Math.abs(at(rest.sigma, 0) - at(sigma, 4)) < 1e-4);
    const gram = product(array("A"), transposed(array("A"), site.in), site.in);
    const other = product(transposed(array("B"), 4), array("B"), site.out);
    const expected = identity(4).map((one, place) => (one * at(sigma, place % 4)) / 3);
    near(gram, expected);
    near(other, expected);
  });
});

describe("svft", () => {
  for (const d of [0, 2])
    it(`has k (2 d + 1) − d (d + 1) numbers at d = ${d}, each with the gradient u_aᵀ G v_b`, async () => {
      const method = bound("svft", { off_diagonals: d });
      assert.equal(trainedCount(method), short * (2 * d + 1) - d * (d + 1));
      const { data, array } = await started(method);
      const { of, G } = await gradients(method, data);
      const core = product(
        product(transposed(array("B"), short), G, site.out),
        transposed(array("A"), site.in),
        site.in,
      );
      const expected: number[] = [];
      for (let offset = -d; offset <= d; offset++)
        for (let a = 0; a < short; a++)
          if (a + offset >= 0 && a + offset < short)
            expected.push(at(core, a * short + a + offset));
      near(of("M"), expected);
    });
});

describe("loldu", () => {
  it("has gradients by z and γ that follow from P L and U, and r + 1 numbers", async () => {
    const method = bound("loldu", { r: 5 });
    assert.equal(trainedCount(method), 6);
    const { data, array } = await started(method);
    const { of, G } = await gradients(method, data);
    const core = product(
      product(transposed(array("B"), 5), G, site.out),
      transposed(array("A"), site.in),
      site.in,
    );
    const [gamma = 0] = array("gamma");
    const z = array("z");
    near(
      of("z"),
      z.map((_, j) => gamma * at(core, j * 6)),
    );
    near(of("gamma"), [z.reduce((sum, value, j) => sum + value * at(core, j * 6), 0)], 1e-3);
  });

  it("brings back W from its factors", async () => {
    const method = bound("loldu", { r: short, alpha: short });
    const { original, array } = await started(method);
    const scaled = array("B").map((x, place) => x * at(array("z"), place % short));
    near(product(scaled, array("A"), short), original, 1e-3);
    near(
      array("W"),
      original.map(() => 0),
      1e-3,
    );
  });
});

describe("lora_xs", () => {
  it("stands between orthonormal rows and singular vectors times their values; R gets Bᵀ G Aᵀ", async () => {
    const method = bound("lora_xs", { r: 4, alpha: 4 });
    assert.equal(trainedCount(method), 16);
    const { data, array, original } = await started(method);
    near(product(array("A"), transposed(array("A"), site.in), site.in), identity(4));
    const { sigma } = await linalg.svd({
      rows: site.out,
      columns: site.in,
      data: Float64Array.from(original),
    });
    const gram = product(transposed(array("B"), 4), array("B"), site.out);
    near(
      gram,
      identity(4).map((one, place) => one * at(sigma, place % 4) ** 2),
      1e-3,
    );
    const { of, G } = await gradients(method, data);
    near(
      of("R"),
      product(
        product(transposed(array("B"), 4), G, site.out),
        transposed(array("A"), site.in),
        site.in,
      ),
      1e-3,
    );
  });
});

describe("counts", () => {
  const N = Math.ceil(short / 6);
  const counts = {
    vera: [{ r: 6 }, 6 + site.out],
    randlora: [{ r: 6 }, 6 * N + N * short],
    nola: [{ r: 6, basis: 7 }, 2 * 7],
    miss: [{ r: 6 }, 6 * site.out],
    paca: [{ r: 6 }, 6 * site.out],
    lamda: [{ r: 6 }, 36 + 6 * site.out],
    sora: [{ r: 6 }, 6 * (site.in + site.out) + 6],
    adalora: [{ r: 6 }, 6 * (site.in + site.out) + 6],
    dora: [{ r: 6 }, 6 * (site.in + site.out) + site.out],
    peqa: [{ group: 8 }, (site.out * site.in) / 8],
  } as const;
  for (const [name, [fields, expected]] of Object.entries(counts))
    it(`of ${name} are its paper's formula`, () => {
      assert.equal(trainedCount(bound(name, fields)), expected);
    });
});

describe("randlora", () => {
  it("reaches the full rank with random pairs of a small one", async () => {
    const method = bound("randlora", { r: 6 });
    const { data, array } = await started(method);
    const next = generator(9);
    const moved = new Map(data);
    for (const name of ["lambda", "gamma"])
      moved.set(
        name,
        Float32Array.from(array(name), () => 2 * next() - 1),
      );
    const made = await evaluate(
      method,
      moved,
      (g, _x, base, params) => new Map([["W", method.weight(g, base.dense(g), params, site.kind)]]),
    );
    const update = (made.get("W") ?? []).map((x, place) => x - at(array("W"), place));
    const { sigma } = await linalg.svd({
      rows: site.out,
      columns: site.in,
      data: Float64Array.from(update),
    });
    assert(
      sigma.every((value) => value > 1e-4 * at(sigma, 0)),
      [...sigma].join(" "),
    );
  });
});

describe("nola", () => {
  it("gives each coefficient the gradient of its basis", async () => {
    const method = bound("nola", { r: 3, alpha: 3, basis: 4 });
    const { data, array } = await started(method);
    const moved = new Map([
      ...data,
      ["a", Float32Array.of(0.1, -0.2, 0.3, 0.4)] as const,
      ["b", Float32Array.of(0.5, 0.1, -0.3, 0.2)] as const,
    ]);
    const { of, G } = await gradients(method, moved);
    const B = product([0.5, 0.1, -0.3, 0.2], array("basisB"), 4);
    const ofA = product(transposed(B, 3), G, site.out);
    near(of("a"), product(array("basisA"), ofA, ofA.length), 1e-3);
  });
});

describe("paca", () => {
  it("takes different columns, whose gradient is theirs in G", async () => {
    const method = bound("paca", { r: 6, alpha: 6 });
    const { data, array } = await started(method);
    const J = array("J");
    assert.equal(new Set(J).size, 6);
    assert(J.every((column) => column >= 0 && column < site.in));
    const { of, G } = await gradients(method, data);
    near(
      of("D"),
      Array.from({ length: site.out * 6 }, (_, place) =>
        at(G, Math.floor(place / 6) * site.in + at(J, place % 6)),
      ),
    );
  });
});

describe("smt", () => {
  it("trains whole blocks, whose gradient is theirs in G", async () => {
    const method = bound("smt", { block: 4, share: 0.2 });
    const { data, array } = await started(method);
    const [down, across] = [array("rows"), array("columns")];
    assert.equal(new Set(down.map((row, k) => `${row} ${at(across, k)}`)).size, 6);
    assert.equal(trainedCount(method), 6 * 16);
    const { of, G } = await gradients(method, data);
    const expected = down.flatMap((row, k) =>
      Array.from({ length: 16 }, (_, place) => {
        const [i, j] = [Math.floor(place / 4), place % 4];
        return at(G, (4 * row + i) * site.in + 4 * at(across, k) + j);
      }),
    );
    near(of("V"), expected);
  });
});
