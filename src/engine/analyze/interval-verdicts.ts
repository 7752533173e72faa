/** @file The first stage: verdicts by witnesses, Bessel's bound and certificates, without an SVD of W₀. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import { cover, type SpectralView } from "./certificate.ts";
import { vectorError, type Finding, type IntruderOptions } from "./finding.ts";
import {
  columnOf,
  columnsOf,
  gramOf,
  lockstepLanczos,
  norm,
  type LanczosView,
} from "./lockstep-lanczos.ts";
import { applyGram, formGram } from "./gram.ts";
import type { Tools } from "./products.ts";
import { deflate } from "./deflation.ts";
import { rowOf, type TopVectors } from "./top-vectors.ts";
import { witnessOf } from "./witness.ts";

/** W₀ as an operator, as numbers, and its Gram matrix of the smaller side where it was formed. */
export interface BaseMatrix {
  readonly W: Operator;
  readonly base: Matrix;
  /** ‖W₀‖_F */
  readonly size: number;
  readonly gram: Matrix | undefined;
  /** Vectors of W₀ from which certificates keep Lanczos away, where they are good enough. */
  readonly near: TopVectors;
}

/** The verdict on each of `tuned`'s vectors; undefined where there is none. */
export async function intervalVerdicts(
  tools: Tools,
  base: BaseMatrix,
  tuned: TopVectors,
  top: TopVectors,
  options: IntruderOptions,
): Promise<readonly (Finding | undefined)[]> {
  const { epsilon, cluster } = options;
  const count = tuned.sigma.length;
  const findings: (Finding | undefined)[] = Array.from({ length: count });
  const lowers = new Float64Array(count);
  for (let j = 0; j < count; j++) {
    const error = vectorError(tuned, j, cluster);
    if (error === 1) continue;
    const view = witnessOf(rowOf(tuned.left, j), top, cluster);
    lowers[j] = Math.max(0, view.lower - error, view.clusterLower - error);
    const upper = Math.min(1, Math.max(view.upper, view.rest) + error);
    if (view.lower - error >= epsilon)
      findings[j] = {
        lower: view.lower - error,
        upper,
        by: "not",
        intruder: false,
        proof: {
          kind: "witness",
          base: view.base,
          baseSigma: at(top.sigma, view.base),
          overlap: view.overlap,
          residual: at(top.residuals, view.base),
          gap: at(top.gaps, view.base),
          gapFrom: at(top.gapFrom, view.base),
        },
      };
    else if (upper < epsilon)
      findings[j] = {
        lower: lowers[j] ?? 0,
        upper,
        by: "intruder",
        intruder: true,
        proof: {
          kind: "bessel",
          captured: 1 - view.rest ** 2,
          count: top.sigma.length,
          best: view.upper,
          isKnown: view.isKnown,
        },
      };
  }
  const open = findings.flatMap((finding, j) =>
    finding === undefined && vectorError(tuned, j, cluster) < epsilon ? [j] : [],
  );
  if (open.length === 0) return findings;
  const found = await certificates(tools, base, open, tuned, options);
  for (const [i, j] of open.entries()) {
    const one = found[i];
    if (one === undefined) continue;
    const upper = Math.min(1, one.bound + vectorError(tuned, j, cluster));
    findings[j] = {
      ...{ lower: Math.min(lowers[j] ?? 0, upper), upper, by: "intruder", intruder: true },
      proof: one.proof,
    };
  }
  return findings;
}

/** Certificates of the vectors in `open`, by as many Lanczos steps as each needs. */
async function certificates(
  tools: Tools,
  { W, base, size, gram: formed, near }: BaseMatrix,
  open: readonly number[],
  tuned: TopVectors,
  { epsilon, steps, cluster }: IntruderOptions,
) {
  const vectors = open.map((j) => rowOf(tuned.left, j));
  const gram = W.rows <= W.columns ? "left" : "right";
  const image = gram === "left" ? undefined : await W.applyTransposed(columnsOf(vectors));
  const starts = vectors.map((y, i) => (image === undefined ? y : columnOf(image, i)));
  const sigma1 = Math.min(size, at(near.sigma, 0) + at(near.residuals, 0));
  const lambdaMin = gram === "left" ? 0 : await tallFloor(tools, base, size, formed, sigma1);
  if (lambdaMin === undefined) return [];
  const G = formed === undefined ? gramOf(W) : applyGram(tools, formed);
  const rounding = 2 ** -53 * (W.rows + W.columns) * size ** 2;
  const deflation = await deflate(tools, W, G, rounding, near, starts);
  const lanczos = lockstepLanczos(tools, deflation.apply, deflation.starts);
  const norms = deflation.starts.map(norm);
  const settled = new Map<number, Certificate>();
  let remaining = open.map((_, i) => i);
  const shape = { gram, lambdaMin, size, dimensions: W.rows + W.columns, sigma1 } as const;
  for (let step = 1; step <= steps && remaining.length > 0; step++) {
    await lanczos.step(remaining);
    if (step < 6 || step % 2 !== 0) {
      if (!remaining.some((i) => lanczos.view(i).complete)) continue;
    }
    remaining = remaining.filter((i) => {
      const seen = lanczos.view(i);
      const view = spectralView(seen, at(norms, i), shape, at(deflation.deflated, i));
      const covering = cover(view, epsilon - vectorError(tuned, at(open, i), cluster));
      if (covering.kind === "open") return !seen.complete;
      settled.set(i, {
        bound: covering.bound,
        proof: { kind: "lanczos", ...view, edges: covering.edges },
      });
      return false;
    });
  }
  return open.map((_, i) => settled.get(i));
}

interface Certificate {
  readonly bound: number;
  readonly proof: Finding["proof"] & { readonly kind: "lanczos" };
}

interface Shape {
  readonly gram: "left" | "right";
  readonly lambdaMin: number;
  /** ‖W₀‖_F */
  readonly size: number;
  readonly dimensions: number;
  readonly sigma1: number;
}

/**
 * The measured error of the recurrence, (out + in) 2⁻⁵³ ‖W₀‖²_F for each of the m products that measured it
 * (whether G was formed or W₀ applied twice), so √m times that in all, and 16 m 2⁻⁵³ ‖J‖ for the eigenvalues and weights of J and its extensions.
 */
export function spectralView(
  { alpha, beta, rho }: LanczosView,
  startNorm: number,
  { gram, lambdaMin, size, dimensions, sigma1 }: Shape,
  deflated: SpectralView["deflated"],
): SpectralView {
  let largest = 0;
  for (const [i, value] of alpha.entries())
    largest = Math.max(largest, Math.abs(value) + 2 * Math.abs(at(beta, i)));
  const products = Math.sqrt(alpha.length) * dimensions * size ** 2;
  const total = rho + 2 ** -53 * (products + 16 * (alpha.length + 1) * largest);
  return {
    ...{ gram, startNorm, alpha, beta, lambdaMin, lambdaMax: size ** 2 * (1 + 2 ** -40) },
    rho: total,
    deflated,
    eta: Math.max(1e-7 * sigma1 ** 2, 200 * total),
  };
}

/**
 * λ with W₀ᵀW₀ − λ I positive definite by a Cholesky factorisation, so that σ_min² ≥ λ less what
 * rounding does (which is taken off); undefined where W₀ is too near to losing rank.
 */
async function tallFloor(
  tools: Tools,
  base: Matrix,
  size: number,
  gram: Matrix | undefined,
  sigma1: number,
): Promise<number | undefined> {
  const G = gram ?? (await formGram(tools, base));
  const n = G.rows;
  const rounding = 4 * (n + base.rows) * 2 ** -53 * size ** 2;
  for (const share of [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]) {
    const shift = share * sigma1 ** 2;
    if (shift < 100 * rounding) return undefined;
    const data = G.data.slice();
    for (let i = 0; i < n; i++) data[i * n + i] = at(data, i * n + i) - shift;
    if (await tools.linalg.isPositiveDefinite({ rows: n, columns: n, data }))
      return shift - rounding;
  }
  return undefined;
}
