/** @file Inverses within a graph: of well and badly conditioned matrices, with the gradient of an inverse. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import { inverse } from "../../../../src/engine/core/inverse.ts";
import { mul, reduceSum, reshape, scalar } from "../../../../src/engine/core/ops.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import { at } from "../../../../src/shared/errors.ts";
import { generator } from "../op-case.ts";

const n = 5;
const size = n * n;

/** X and dM for Σ C ∘ X. */
async function run(M: readonly number[], C: readonly number[], steps?: number) {
  const backend = createReferenceBackend();
  const g = newGraph();
  const shape = [M.length / size, n, n];
  const [m, c] = [g.input("M", "float32", shape), g.input("C", "float32", shape)];
  const X = inverse(g, m, steps);
  const loss = reshape(g, reduceSum(g, mul(g, X, c), [0, 1, 2]), []);
  const dM = differentiate(g, new Map([[loss, scalar(g, 1)]]), [m]).get(m);
  assert(dM);
  g.output("X", X);
  g.output("dM", dM);
  const program = await backend.compile(g);
  const feed = (data: readonly number[]) =>
    backend.upload("float32", shape, Float32Array.from(data));
  const made = await program.run(new Map([["M", feed(M)], ["C", feed(C)]])); // prettier-ignore
  const read = async (name: string) => {
    const tensor = made.get(name);
    assert(tensor);
    return Array.from(await backend.download(tensor), Number);
  };
  return { X: await read("X"), dM: await read("dM") };
}

function times(a: readonly number[], b: readonly number[]): readonly number[] {
  return Array.from({ length: size }, (_, place) => {
    const [i, j] = [Math.floor(place / n), place % n];
    return Array.from({ length: n }, (_k, k) => at(a, i * n + k) * at(b, k * n + j)).reduce(
      (x, y) => x + y,
      0,
    );
  });
}

const transposed = (a: readonly number[]): readonly number[] =>
  a.map((_, place) => at(a, (place % n) * n + Math.floor(place / n)));

/** Rᵀ R + shift I in float32's values. */
function positive(next: () => number, spread: number, shift: number): readonly number[] {
  const R = Array.from({ length: size }, () => spread * (2 * next() - 1));
  return times(transposed(R), R).map((value, place) =>
    Math.fround(value + (place % (n + 1) === 0 ? shift : 0)),
  );
}

const eye = Array.from({ length: size }, (_, place) => (place % (n + 1) === 0 ? 1 : 0));

function far(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, place) => Math.abs(value - at(b, place))));
}

describe("an inverse within a graph", () => {
  for (const [title, spread, shift] of [
    ["near the identity", 0.3, 1],
    ["of norms in the hundreds", 10, 1],
    ["of small norms", 0.01, 1e-4],
  ] as const)
    // prettier-ignore
    it(`is one of matrices ${title}, with its gradient`, async () => {
      const next = generator(5);
      const both = [positive(next, spread, shift), positive(next, spread, shift)];
      const C = Array.from({ length: 2 * size }, () => Math.fround(next()));
      const { X, dM } = await run(both.flat(), C);
      for (const [index, M] of both.entries()) {
        const own = X.slice(index * size, (index + 1) * size);
        assert(far(times(M, own), eye) < 1e-7, `${far(times(M, own), eye)}`);
        const gradient = times(times(transposed(own), C.slice(index * size, (index + 1) * size)), transposed(own));
        const most = Math.max(...gradient.map(Math.abs));
        const found = dM.slice(index * size, (index + 1) * size).map((value) => -value);
        assert(far(found, gradient) < 1e-7 * most, `${far(found, gradient)} of ${most}`);
      }
    });

  it("damps what it has too few steps for", async () => {
    const M = eye.map((value, place) => (place === 0 ? 1e-6 : value));
    const { X } = await run(M, eye, 8);
    assert(at(X, 0) > 1 && at(X, 0) < 1e6, `${at(X, 0)}`);
    assert(Math.abs(at(X, size - 1) - 1) < 1e-12);
  });
});
