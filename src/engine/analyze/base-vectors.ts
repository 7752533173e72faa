/** @file The left vectors of W₀ that verdicts stand on: from the cache, or made and kept there. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { fullBaseSvd } from "./exact-cosines.ts";
import type { Tools } from "./products.ts";
import type { KeptSvd, SvdCache } from "./source.ts";
import { gapsOf, krylovTop, type TopVectors } from "./top-vectors.ts";

/** A float32 number in float16's 11 bits, ties to even: what the official procedure's loading does to the base. */
export function inFloat16(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const ulp = 2 ** (exponent - 10);
  const scaled = size / ulp;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  return Math.sign(value) * rounded * ulp;
}

/** The whole SVD: cached, or made and cached. */
export async function fullVectors(
  tools: Tools,
  base: Matrix,
  hash: string,
  cache: SvdCache | undefined,
): Promise<{ readonly svd: KeptSvd; readonly cached: boolean }> {
  const kept = await cache?.read(hash, "full");
  if (kept !== undefined && fits(kept, base, Math.min(base.rows, base.columns)))
    return { svd: kept, cached: true };
  const svd = await fullBaseSvd(tools.linalg, base);
  await cache?.write(hash, "full", svd);
  return { svd, cached: false };
}

/** The top vectors: the cache's (of 64, or a full SVD), or as many as asked for; however well they converged. */
export async function leadingVectors(
  tools: Tools,
  W: Operator,
  { hash, cache, count, seed, cluster, start }: LeadingOptions,
): Promise<TopVectors> {
  const kept = await cache?.read(hash, "top");
  if (kept !== undefined && fits(kept, W, 1)) {
    const sigma = kept.values ?? kept.sigma;
    const residuals = new Float64Array(sigma.length);
    residuals.set(kept.residuals);
    const gaps = gapsOf(sigma, residuals).slice(0, kept.sigma.length);
    if (kept.values === undefined) gaps[gaps.length - 1] = 0;
    const right = { rows: 0, columns: W.columns, data: new Float64Array(0) };
    const gapFrom = kept.values === undefined ? "ritz" : "values";
    return { sigma: kept.sigma, left: kept.left, right, residuals: kept.residuals, gaps, gapFrom };
  }
  const found = await krylovTop(tools, W, { count, error: 0.02, cluster, seed, steps: 4, start });
  await cache?.write(hash, "top", {
    sigma: found.sigma,
    left: found.left,
    residuals: found.residuals,
    values: undefined,
  });
  return found;
}

export interface LeadingOptions {
  readonly hash: string;
  readonly cache: SvdCache | undefined;
  readonly count: number;
  readonly seed: number;
  readonly cluster: number;
  /** Tuned vectors: those that are no intruders are all but vectors of W₀. */
  readonly start?: Matrix | undefined;
}

/** A kept SVD of another size is no SVD of this matrix. */
function fits(
  { sigma, left, residuals }: KeptSvd,
  { rows }: { readonly rows: number },
  least: number,
): boolean {
  return (
    sigma.length >= least &&
    left.columns === rows &&
    left.rows === sigma.length &&
    residuals.length === sigma.length
  );
}
