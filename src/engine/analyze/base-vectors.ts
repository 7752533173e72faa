/** @file The left vectors of W₀ that verdicts stand on: from the cache, or made and kept there. */
import { joinColumns, type Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { fullBaseSvd } from "./exact-cosines.ts";
import type { Apply } from "./gram.ts";
import type { Tools } from "./products.ts";
import type { KeptSvd, SvdCache } from "./source.ts";
import { krylovTop, type TopVectors } from "./top-vectors.ts";

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

/** The top vectors by a Krylov space, which begins where one was kept before; however well they converged. */
export async function leadingVectors(
  tools: Tools,
  W: Operator,
  { hash, cache, count, seed, cluster, start, gram }: LeadingOptions,
): Promise<TopVectors> {
  const read = await cache?.read(hash, "top");
  const kept = read !== undefined && fits(read, W, 1) ? read : undefined;
  const begin = [start, kept && (await smallerSide(W, kept.left))].filter(
    (block) => block !== undefined,
  );
  const found = await krylovTop(tools, W, {
    ...{ count, beyond, error: 0.02, cluster, seed, gram },
    steps: kept === undefined ? 4 : 2,
    start: begin.length === 0 ? undefined : joinColumns(begin),
  });
  if (kept === undefined)
    await cache?.write(hash, "top", {
      sigma: found.sigma,
      left: found.left,
      residuals: found.residuals,
      values: undefined,
    });
  return found;
}

/** So many more are kept than are waited for: certificates take off what is good enough of them. */
const beyond = 16;

/** Left vectors (rows) as columns on the smaller side of W, where its Krylov spaces live. */
export async function smallerSide(W: Operator, left: Matrix): Promise<Matrix> {
  const vectors = transposedCopy(left);
  return W.rows <= W.columns ? vectors : W.applyTransposed(vectors);
}

export interface LeadingOptions {
  readonly hash: string;
  readonly cache: SvdCache | undefined;
  readonly count: number;
  readonly seed: number;
  readonly cluster: number;
  /** Tuned vectors: those that are no intruders are all but vectors of W₀. */
  readonly start?: Matrix | undefined;
  readonly gram?: Apply | undefined;
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
