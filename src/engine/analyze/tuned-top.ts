/** @file The leading left vectors of W, whose gaps a count proves wherever it costs less than an SVD. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import type { IntruderOptions } from "./finding.ts";
import { applyGram, applyTunedGram, formGram, formTunedGram, type Apply } from "./gram.ts";
import { provesByKept } from "./kept-count.ts";
import { provedOrLikely, provesByCholesky, type Proves } from "./known-gaps.ts";
import { formTuned, frobenius, tunedOperator, type Tools } from "./products.ts";
import type { KeptSvd, Update } from "./source.ts";
import { factorsOf } from "./spectra.ts";
import { exactTop, firstOf, krylovTop, type TopVectors } from "./top-vectors.ts";

/** What is known of W₀ [out, in] before W is looked at. */
export interface KnownBase {
  readonly base: Matrix;
  readonly operator: Operator;
  /** ‖W₀‖_F */
  readonly size: number;
  /** Its Gram matrix of the smaller side, and how that is applied; undefined where neither is. */
  readonly formed: Matrix | undefined;
  readonly apply: Apply | undefined;
  /** Its whole SVD. */
  readonly kept: KeptSvd | undefined;
}

/** So many vectors more are found, that a count may stop below the last that is asked for. */
const beyond = 2;

export async function tunedTop(
  tools: Tools,
  known: KnownBase,
  update: Update | undefined,
  { k, exactBelow, cluster, seed }: IntruderOptions,
): Promise<TopVectors> {
  const { base, operator } = known;
  const count = vectorCount(base.rows, base.columns, k);
  const dense = () =>
    update === undefined ? Promise.resolve(base) : formTuned(tools, base, update);
  if (Math.min(base.rows, base.columns) <= exactBelow) return exactTop(tools, dense, count);
  const W = update === undefined ? operator : tunedOperator(tools, operator, update);
  const { apply, proves } = await tunedGram(tools, known, update);
  const top = await krylovTop(tools, W, {
    ...{ count, beyond, error: 2e-3, cluster, seed: seed + 1, gram: apply },
  });
  return firstOf(proves === undefined ? top : await provedOrLikely(top, proves), count);
}

/** How many vectors of W are looked at. */
function vectorCount(out: number, columns: number, k: IntruderOptions["k"]): number {
  const most = Math.min(out, columns);
  return Math.min(most, typeof k === "number" ? k : Math.ceil(k.share * most));
}

/** W's Gram matrix from that of W₀, and what counts its eigenvalues: by factors where the update is some, else from W as a whole. */
async function tunedGram(
  tools: Tools,
  { base, size: norm, formed, apply, kept }: KnownBase,
  update: Update | undefined,
): Promise<{ readonly apply: Apply | undefined; readonly proves: Proves | undefined }> {
  const long = Math.max(base.rows, base.columns);
  const byMatrix = (matrix: Matrix, size: number, error?: number) => ({
    apply: applyGram(tools, matrix),
    proves: provesByCholesky(tools, matrix, { size, long, ...(error ? { error } : {}) }),
  });
  const factors = update && factorsOf(update);
  if (update === undefined)
    return formed === undefined ? { apply, proves: undefined } : byMatrix(formed, norm);
  if (factors === undefined) {
    if (apply === undefined) return { apply, proves: undefined };
    const W = await formTuned(tools, base, update);
    return byMatrix(await formGram(tools, W), frobenius(W));
  }
  if (formed !== undefined) {
    const { matrix, size, error } = await formTunedGram(tools, base, formed, norm, factors);
    return byMatrix(matrix, size, error);
  }
  return {
    apply: apply && (await applyTunedGram(tools, base, apply, factors)),
    proves: kept && (await provesByKept(tools, base, norm, kept, factors)),
  };
}
