/** @file The leading left vectors of W, and what counts the singular values below them. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import type { IntruderOptions } from "./finding.ts";
import { gapCounts } from "./gap-counts.ts";
import { applyChanged, applyGram, formGram, type Apply } from "./gram.ts";
import { provesByKept } from "./kept-count.ts";
import { provedOrLikely, type Proves } from "./known-gaps.ts";
import { lowRankChange, type LowRankChange } from "./low-rank-change.ts";
import { formTuned, frobenius, tunedOperator, type Tools } from "./products.ts";
import type { ShiftedCounts } from "./shifted-counts.ts";
import type { KeptSvd, Update } from "./source.ts";
import { factorsOf } from "./spectra.ts";
import { exactTop, krylovTop, type TopVectors } from "./top-vectors.ts";

/** What is known of W₀ [out, in] before W is looked at. */
export interface KnownBase {
  readonly base: Matrix;
  readonly operator: Operator;
  /** ‖W₀‖_F */
  readonly size: number;
  /** How its Gram matrix of the smaller side is applied; undefined where it is not. */
  readonly apply: Apply | undefined;
  /** Whether Gram matrices are formed. */
  readonly isFormed: boolean;
}

/** W's vectors with the gaps of their Ritz values, some more of them than are asked for, that a count may stop below. */
export interface TunedTop {
  readonly top: TopVectors;
  /** What W₀'s Gram matrix is changed by, where the update is factors. */
  readonly change: LowRankChange | undefined;
  /** W's own Gram matrix and norm, where it is not and W₀'s was formed. */
  readonly own: { readonly gram: Matrix; readonly size: number } | undefined;
}

const beyond = 2;

export async function tunedTop(
  tools: Tools,
  known: KnownBase,
  update: Update | undefined,
  { k, exactBelow, cluster, seed }: IntruderOptions,
): Promise<TunedTop> {
  const { base, operator } = known;
  const count = vectorCount(base.rows, base.columns, k);
  const dense = () =>
    update === undefined ? Promise.resolve(base) : formTuned(tools, base, update);
  if (Math.min(base.rows, base.columns) <= exactBelow)
    return { top: await exactTop(tools, dense, count), change: undefined, own: undefined };
  const W = update === undefined ? operator : tunedOperator(tools, operator, update);
  const { apply, change, own } = await tunedGram(tools, known, update);
  const top = await krylovTop(tools, W, {
    ...{ count, beyond, error: 2e-3, cluster, seed: seed + 1, gram: apply },
  });
  return { top, change, own };
}

/** How many vectors of W are looked at. */
export function vectorCount(out: number, columns: number, k: IntruderOptions["k"]): number {
  const most = Math.min(out, columns);
  return Math.min(most, typeof k === "number" ? k : Math.ceil(k.share * most));
}

/** W's Gram matrix, from that of W₀ where the update is factors. */
async function tunedGram(
  tools: Tools,
  { base, apply, isFormed }: KnownBase,
  update: Update | undefined,
): Promise<Omit<TunedTop, "top"> & { readonly apply: Apply | undefined }> {
  const nothing = { apply, change: undefined, own: undefined };
  if (update === undefined) return nothing;
  const factors = factorsOf(update);
  if (factors !== undefined) {
    const side = base.rows <= base.columns ? "left" : "right";
    const change = await lowRankChange(tools, base, factors, side);
    return { ...nothing, change, apply: apply && applyChanged(tools, apply, change) };
  }
  if (!isFormed) return { ...nothing, apply: undefined };
  const W = await formTuned(tools, base, update);
  const gram = await formGram(tools, W);
  return { ...nothing, own: { gram, size: frobenius(W) }, apply: applyGram(tools, gram) };
}

/** W's gaps, proved by a count wherever one costs less than an SVD: `counts` of W₀ and what low rank changes it, `kept` its whole SVD, `near` its leading singular values. */
export async function tunedGaps(
  tools: Tools,
  { top, change, own }: TunedTop,
  { base, size }: KnownBase,
  update: Update | undefined,
  {
    counts,
    kept,
    near,
    countBelow,
  }: {
    readonly counts: ShiftedCounts | undefined;
    readonly kept: KeptSvd | undefined;
    readonly near: Float64Array | undefined;
    readonly countBelow: number;
  },
): Promise<TopVectors> {
  const factors = update && factorsOf(update);
  const proves = async (): Promise<Proves | undefined> => {
    if (update !== undefined && factors === undefined) {
      const W = await formTuned(tools, base, update);
      const itsSize = own?.size ?? frobenius(W);
      return gapCounts(tools, {
        ...{ base: W, size: itsSize, gram: own?.gram, countBelow },
        ...{ near: top, tuned: top, change: undefined },
      }).before;
    }
    if (counts) return counts.after;
    if (kept === undefined || factors === undefined) return undefined;
    const left = base.rows <= base.columns ? change : undefined;
    const itsChange = left ?? (await lowRankChange(tools, base, factors, "left"));
    return provesByKept(tools, base, size, kept, itsChange);
  };
  const found = top.gapFrom.includes("values") ? undefined : await proves();
  return found === undefined ? top : provedOrLikely(top, found, near ? { avoid: near } : {});
}
