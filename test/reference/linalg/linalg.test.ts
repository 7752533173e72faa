/** @file Singular values, eigenvalues, inverses and R against NumPy's LAPACK; `make.py` writes the fixtures. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { createLinalg, type Linalg, type Matrix } from "../../../kernels/linalg/index.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";

const whole = (i: number, j: number, size: number) =>
  ((i * i * 31 + j * 17 + i * j * 7 + 11) % (2 * size + 1)) - size;

function matrix(rows: number, columns: number, entry: (i: number, j: number) => number): Matrix {
  const data = Float64Array.from({ length: rows * columns }, (_, at) =>
    entry(Math.floor(at / columns), at % columns),
  );
  return { rows, columns, data };
}

const matrices: Readonly<Record<string, Matrix>> = {
  whole: matrix(40, 40, (i, j) => whole(i, j, 50)),
  tall: matrix(160, 30, (i, j) => whole(i, j, 9)),
  wide: matrix(30, 140, (i, j) => whole(i, j, 9) / 8),
  "two stages": matrix(150, 140, (i, j) => whole(i, j, 999)),
  Hilbert: matrix(20, 20, (i, j) => 1 / (i + j + 1)),
  "rank 2": matrix(40, 30, (i, j) => i + j),
};

/** The numbers at `cases[name][key]` of the fixtures. */
function numbers(fixtures: unknown, ...path: readonly string[]): readonly number[] {
  let value: unknown = fixtures;
  for (const key of path)
    value = Object.entries(typeof value === "object" && value !== null ? value : {}).find(
      ([name]) => name === key,
    )?.[1];
  assert.ok(Array.isArray(value), path.join(" "));
  return value.map(Number);
}

describe("linear algebra against NumPy", () => {
  const file = join(import.meta.dirname, "fixtures/numpy.json");
  const fixtures: unknown = JSON.parse(readFileSync(file, "utf8"));
  let linalg: Linalg;
  before(async () => {
    await buildKernels();
    linalg = createLinalg(kernelBytes("linalg"));
  });

  for (const [name, A] of Object.entries(matrices))
    it(name, async () => {
      const close = (found: ArrayLike<number>, key: string, size: number) => {
        const expected = numbers(fixtures, "cases", name, key);
        assert.equal(found.length, expected.length);
        for (const [i, value] of expected.entries())
          assert.ok(Math.abs((found[i] ?? NaN) - value) <= 1e-13 * size, `${key} ${i}`);
      };
      const top = numbers(fixtures, "cases", name, "singularValues")[0] ?? NaN;
      close((await linalg.svd(A)).sigma, "singularValues", top);
      close(await linalg.singularValues(A), "singularValues", top);

      const rows = { ...A, rows: 20, data: A.data.slice(0, 20 * A.columns) };
      const S = await linalg.multiply(rows, rows, { transposeB: true });
      close(await linalg.eigenvalues(S), "eigenvalues", top ** 2);
      close((await linalg.eigh(S)).values, "eigenvalues", top ** 2);
      const inverse = await linalg.spdInverse(S, 1000);
      close(inverse?.data.subarray(0, 20) ?? [], "inverse00", 1);

      // Eight columns: beyond the rank, R is not unique.
      const left = matrix(A.rows, 8, (i, j) => A.data[i * A.columns + j] ?? NaN);
      const { R } = await linalg.qr(left);
      const diagonal = Array.from({ length: 8 }, (_, i) => Math.abs(R.data[i * 9] ?? NaN));
      close(diagonal, "absoluteR", top);
    });
});
