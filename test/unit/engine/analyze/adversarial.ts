/** @file Small matrices that were made to lead bounds astray, and what every bound must hold on them. */
import assert from "node:assert/strict";
import { matrixOperator } from "../../../../kernels/krylov/operator.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { boundOn, cover, type SpectralView } from "../../../../src/engine/analyze/certificate.ts";
import { deflate } from "../../../../src/engine/analyze/deflation.ts";
import { applyGram, formGram } from "../../../../src/engine/analyze/gram.ts";
import { gramOf, lockstepLanczos, norm } from "../../../../src/engine/analyze/lockstep-lanczos.ts";
import { spectralView } from "../../../../src/engine/analyze/interval-verdicts.ts";
import { frobenius } from "../../../../src/engine/analyze/products.ts";
import { at } from "../../../../src/shared/errors.ts";
import { matrix, withSingularValues } from "../../kernels/linalg/matrices.ts";

export interface Tally {
  matrices: number;
  vectors: number;
  views: number;
  certificates: number;
  /** The least that a bound lay above its cosine, and a certified bound above the greatest one; below zero by rounding alone. */
  leastRoom: number;
  leastCertifiedRoom: number;
}

export function emptyTally(): Tally {
  return {
    ...{ matrices: 0, vectors: 0, views: 0, certificates: 0 },
    ...{ leastRoom: Infinity, leastCertifiedRoom: Infinity },
  };
}

/** Cosines and bounds are of numbers that were rounded; what a bound may lie below its cosine. */
const rounded = 1e-9;

/** One matrix and two vectors, at every number of steps, with and without deflation by spoilt vectors. */
export async function tryMatrix(linalg: Linalg, random: () => number, tally: Tally): Promise<void> {
  const whole = (most: number) => 1 + Math.floor(random() * most);
  const rows = 2 + whole(18);
  const columns = 2 + whole(18);
  const count = Math.min(rows, columns);
  const sigma = spectrum(count, random);
  const W = withSingularValues(rows, columns, sigma, whole(2 ** 30));
  const svd = await linalg.svd(W);
  const left = transposedCopy(svd.U);
  const operator = matrixOperator(linalg, W);
  const top = at(svd.sigma, 0);
  const least = at(svd.sigma, count - 1);
  const gram = rows <= columns ? ("left" as const) : ("right" as const);
  if (top === 0 || (gram === "right" && least < 1e-4 * top)) return;
  const known = whole(Math.max(1, count >> 1));
  const spoil = 10 ** (-1 - 11 * random());
  const deflating = await linalg.qr(
    transposedCopy(
      matrix(known, rows, (i, j) => at(left.data, i * rows + j) + spoil * (random() - 0.5)),
    ),
  );
  const y = direction(left, rows, random);
  const starts = [gram === "left" ? y : times(transposedCopy(W), y)];
  const cosines = Array.from({ length: count }, (_, i) =>
    Math.abs(y.reduce((sum, value, r) => sum + value * at(left.data, i * rows + r), 0)),
  );
  const truth = cosines.reduce((most, value) => Math.max(most, value), 0);
  const taken = {
    sigma: svd.sigma.slice(0, known),
    left: transposedCopy(deflating.Q),
    right: matrix(0, columns, () => 0),
    residuals: new Float64Array(known),
    gaps: new Float64Array(known),
    gapFrom: Array.from({ length: known }, () => "ritz" as const),
  } as const;
  const shape = {
    gram,
    size: frobenius(W),
    dimensions: rows + columns,
    sigma1: top,
    lambdaMin: gram === "left" ? 0 : 0.999 * least ** 2,
  } as const;
  tally.matrices += 1;
  tally.vectors += 1;
  // Every other matrix by its Gram matrix, formed.
  const apply =
    tally.matrices % 2 === 0
      ? gramOf(operator)
      : applyGram({ linalg }, await formGram({ linalg }, W));
  const rounding = 2 ** -53 * (rows + columns) * frobenius(W) ** 2;
  for (const deflated of [false, true]) {
    const plan = deflated
      ? await deflate({ linalg }, operator, apply, rounding, taken, starts)
      : { apply, starts, deflated: [[]] };
    const lanczos = lockstepLanczos({ linalg }, plan.apply, plan.starts);
    const startNorm = norm(at(plan.starts, 0));
    for (let step = 0; step < count; step++) {
      if (lanczos.view(0).complete) break;
      await lanczos.step([0]);
      const view = spectralView(lanczos.view(0), startNorm, shape, at(plan.deflated, 0));
      check(view, svd.sigma, cosines, truth, tally);
    }
  }
}

function check(
  view: SpectralView,
  sigma: Float64Array,
  cosines: readonly number[],
  truth: number,
  tally: Tally,
): void {
  tally.views += 1;
  for (const [i, cosine] of cosines.entries()) {
    const lambda = Math.max(view.lambdaMin, at(sigma, i) ** 2);
    const bound = boundOn(view, lambda, lambda);
    tally.leastRoom = Math.min(tally.leastRoom, bound - cosine);
    assert.ok(
      cosine <= bound + rounded,
      `cosine ${cosine} over its bound ${bound}: ${JSON.stringify({ view, sigma: [...sigma], cosines })}`,
    );
  }
  for (const epsilon of [0.35, 0.5, truth, truth * 1.02]) {
    const covering = cover(view, epsilon);
    if (covering.kind === "open") continue;
    tally.certificates += 1;
    tally.leastCertifiedRoom = Math.min(tally.leastCertifiedRoom, covering.bound - truth);
    assert.ok(
      truth <= covering.bound + rounded,
      `${truth} certified under ${epsilon} as ${covering.bound}: ${JSON.stringify({ view, sigma: [...sigma], cosines })}`,
    );
  }
}

/** Geometric, clustered, nearly equal, one apart, or rank-deficient. */
function spectrum(count: number, random: () => number): number[] {
  const kind = Math.floor(random() * 5);
  const decay = 0.2 + 0.8 * random();
  const tiny = 10 ** (-14 * random());
  const values = Array.from({ length: count }, (_, i) => {
    if (kind === 0) return decay ** i;
    if (kind === 1) return 1 + Math.floor(i / 3);
    if (kind === 2) return 1 + tiny * i;
    if (kind === 3) return i === 0 ? 1 : 0.1 + 0.01 * random();
    return i < count / 2 ? 1 + random() : 0;
  });
  return values.sort((a, b) => b - a);
}

/** A unit vector: near to a left vector of the matrix, a few of them, or anywhere. */
function direction(left: Matrix, rows: number, random: () => number): Float64Array {
  const spread = 10 ** (-3 * random());
  const y = Float64Array.from({ length: rows }, () => spread * (random() - 0.5));
  const few = Math.floor(random() * 4);
  for (let n = 0; n < few; n++) {
    const i = Math.floor(random() * left.rows);
    const weight = random() < 0.5 ? 1 : random();
    for (let r = 0; r < rows; r++) y[r] = at(y, r) + weight * at(left.data, i * rows + r);
  }
  const size = norm(y);
  return y.map((value) => value / size);
}

function times(A: Matrix, x: Float64Array): Float64Array {
  return Float64Array.from({ length: A.rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < A.columns; j++) sum += at(A.data, i * A.columns + j) * at(x, j);
    return sum;
  });
}
