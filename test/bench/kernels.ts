/** @file Linear algebra kernels on one thread: GFLOP/s of the product, everything else as a multiple of products of its size. */
import { matrixOperator } from "../../kernels/krylov/operator.ts";
import { blockLanczos } from "../../kernels/krylov/block-lanczos.ts";
import { topSvd } from "../../kernels/krylov/top-svd.ts";
import { normalMatrix } from "../../kernels/krylov/normal.ts";
import { createLinalg, type Matrix } from "../../kernels/linalg/index.ts";
import { kernelBytes } from "../../src/engine/runtime/kernels.ts";

interface Row {
  readonly seconds: number;
  /** Over the time of the product Aᵀ A of the same matrix in the same run. */
  readonly products: number;
}

/** Seconds, and multiples of the time of Aᵀ A, by size and kernel; the best of as many runs as fit a second. */
export async function kernels(): Promise<Record<string, unknown>> {
  const linalg = createLinalg(kernelBytes("linalg"), { maxBytes: 2 ** 31 });
  const result: Record<string, unknown> = {};
  const [a64, b64] = [normalMatrix(1024, 1024, 1), normalMatrix(1024, 1024, 2)];
  const single = (X: Matrix) => ({ ...X, data: new Float32Array(X.data) });
  const [a32, b32] = [single(a64), single(b64)];
  const flops = 2 * 1024 ** 3;
  result["product 1024, GFLOP/s"] = {
    float64: round(flops / 1e9 / (await seconds(() => linalg.multiply(a64, b64)))),
    float32: round(flops / 1e9 / (await seconds(() => linalg.multiply(a32, b32)))),
  };

  for (const [rows, columns] of [
    [512, 512],
    [1024, 1024],
    [2048, 2048],
    [576, 1536],
    [896, 4864],
  ] as const) {
    const A = normalMatrix(rows, columns, 3);
    const wide = rows < columns;
    const product = await seconds(() =>
      linalg.multiply(A, A, wide ? { transposeB: true } : { transposeA: true }),
    );
    const S = await linalg.multiply(A, A, wide ? { transposeB: true } : { transposeA: true });
    const diagonal = S.data.slice(0, S.rows);
    const beside = S.data.slice(S.rows, 2 * S.rows - 1);
    const work: Readonly<Record<string, () => Promise<unknown>>> = {
      qr: () => linalg.qr(A),
      svd: () => linalg.svd(A),
      singularValues: () => linalg.singularValues(A),
      "qr, float32": () => linalg.qr(single(A)),
      "svd, float32": () => linalg.svd(single(A)),
      "topSvd, k 16": () => topSvd(linalg, matrixOperator(linalg, A), { k: 16, seed: 1 }),
      ...(rows === columns
        ? {
            lu: () => linalg.lu(A),
            "triangular solve, as many columns": () =>
              linalg.solveTriangular(S, { triangle: "lower" }, A),
            "block Lanczos, 16 steps of 8": () =>
              blockLanczos(linalg, {
                ...{
                  apply: (X) => linalg.multiply(S, X),
                  start: normalMatrix(rows, 8, 5),
                  steps: 16,
                },
              }),
            "tridiagonal values": () => linalg.tridiagonalEigenvalues(diagonal, beside),
            "tridiagonal vectors": () => linalg.tridiagonalEigh(diagonal, beside),
            "cholesky, float32": () => linalg.cholesky(single(S)),
            "eigh, float32": () => linalg.eigh(single(S)),
            cholesky: () => linalg.cholesky(S),
            spdInverse: () => linalg.spdInverse(S, 1),
            eigh: () => linalg.eigh(S),
            eigenvalues: () => linalg.eigenvalues(S),
            inertia: () => linalg.inertia(S, rows),
          }
        : {}),
    };
    const table: Record<string, Row> = {};
    for (const [name, run] of Object.entries(work)) {
      const time = await seconds(run);
      table[name] = { seconds: round(time), products: round(time / product) };
    }
    result[`${rows} × ${columns}`] = { product: { seconds: round(product) }, ...table };
  }
  const cost = normalMatrix(512, 512, 4);
  result["assignment 512"] = { seconds: round(await seconds(() => linalg.assignment(cost))) };
  return result;
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  const begin = performance.now();
  do {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  } while (performance.now() - begin < 1000);
  return best / 1000;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
