/** @file Float32 in every kernel: the float64 result of the same numbers, rounded once; what is not finite is refused in both. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Data, Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import * as cases from "./matrices.ts";

type Kernel = (linalg: Linalg, A: Matrix<Data>) => Promise<unknown>;

const kinds = [
  ...["1 × n", "n × 1", "zeros", "rank 5", "clusters of eight", "ill-conditioned (1e-14)"],
  ...["tall", "wide"],
] as const;

const general: Readonly<Record<string, Kernel>> = {
  qr: (linalg, A) => linalg.qr(A),
  lu: (linalg, A) => linalg.lu(A),
  svd: (linalg, A) => linalg.svd(A),
  singularValues: (linalg, A) => linalg.singularValues(A),
};

const symmetric: Readonly<Record<string, Kernel>> = {
  cholesky: (linalg, A) => linalg.cholesky(A),
  spdInverse: (linalg, A) => linalg.spdInverse(A, 64),
  solveSpd: (linalg, A) => linalg.solveSpd(A, A),
  solveTriangular: (linalg, A) => linalg.solveTriangular(A, { triangle: "lower", unit: true }, A),
  eigh: (linalg, A) => linalg.eigh(A),
  eigenvalues: (linalg, A) => linalg.eigenvalues(A),
  inertia: (linalg, A) => linalg.inertia(A, 0.5),
  tridiagonalEigh: (linalg, { rows, data }) =>
    linalg.tridiagonalEigh(data.slice(0, rows), data.slice(0, rows - 1)),
  tridiagonalEigenvalues: (linalg, { rows, data }) =>
    linalg.tridiagonalEigenvalues(data.slice(0, rows), data.slice(0, rows - 1)),
};

describe("float32", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });

  const tried = [
    ...Object.entries(general).flatMap(([name, kernel]) =>
      kinds.map((kind) => [name, kernel, kind, cases.matrices[kind]] as const),
    ),
    ...Object.entries(symmetric).flatMap(([name, kernel]) =>
      (["1 × 1", "zeros", "clustered", "rank 3", "ill-conditioned"] as const).map(
        (kind) => [name, kernel, kind, cases.symmetricMatrices[kind]] as const,
      ),
    ),
  ];

  for (const [name, kernel, kind, A] of tried)
    it(`${name}, ${kind}: rounded once`, async () => {
      assert.ok(A);
      const single = { ...A, data: new Float32Array(A.data) };
      const wide = { ...A, data: Float64Array.from(single.data) };
      assert.deepEqual(rounded(await kernel(linalg, single)), rounded(await kernel(linalg, wide)));
      assert.ok(!holds(await kernel(linalg, single), Float64Array), "float64 of float32");
      assert.ok(!holds(await kernel(linalg, wide), Float32Array), "float32 of float64");
    });

  it("refuses NaN and infinities in each of them", async () => {
    const kernels = Object.entries({ ...general, ...symmetric });
    for (const value of [NaN, Infinity, -Infinity])
      for (const [name, kernel] of kernels)
        for (const data of [Float64Array.of(value, 2, 3, 4), Float32Array.of(value, 2, 3, 4)]) {
          const A = { rows: 2, columns: 2, data };
          await assert.rejects(kernel(linalg, A), RangeError, `${name} ${value}`);
        }
  });
});

/** All floats of a result as float32, so that results of both widths compare. */
function rounded(value: unknown): unknown {
  if (value instanceof Float64Array) return Float32Array.from(value);
  if (ArrayBuffer.isView(value) || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, rounded(inner)]));
}

function holds(value: unknown, type: typeof Float32Array | typeof Float64Array): boolean {
  if (value instanceof type) return true;
  if (ArrayBuffer.isView(value) || typeof value !== "object" || value === null) return false;
  return Object.values(value).some((inner) => holds(inner, type));
}
