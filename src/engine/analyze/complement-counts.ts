/** @file Counts of singular values above a number, where what is left of a matrix without its known directions is much smaller: no Gram matrix. */
import { joinColumns, subtract } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { applyChanged } from "./gram.ts";
import type { Proves } from "./known-gaps.ts";
import type { LowRankChange } from "./low-rank-change.ts";
import { denseOperator, frobenius, type Tools } from "./products.ts";
import { restNorms, type RestBelow } from "./rest-norms.ts";
import type { ShiftedCounts } from "./shifted-counts.ts";
import type { TopVectors } from "./top-vectors.ts";

export interface Deflatable {
  /** W₀ and ‖W₀‖_F. */
  readonly base: Matrix;
  readonly size: number;
  /** Leading vectors of W₀, and of the changed one. */
  readonly near: TopVectors;
  readonly tuned: TopVectors;
  /** On the smaller side. */
  readonly change: LowRankChange | undefined;
}

/** How much of μ what is left may reach. */
const share = 0.95;

const u = 2 ** -53;

/**
 * A is W₀, or its transpose where that has fewer rows; G = A Aᵀ, and G̃ that of the changed one, A + L Cᵀ. Q [n, q] is an
 * orthonormal basis of the leading left vectors of both and of L, and P = I − Q Qᵀ, so that P G̃ P = P G P. With the rows
 * of P A parted in blocks, ‖P A‖² ≤ Σ ‖(P A)_i‖² = ν, each norm proved by a Cholesky factorisation of its block's size: much
 * above the norm itself where A is noise, and near to it where few directions are strong. Fewer blocks bound more sharply.
 * For μ > ν the block of P in G̃ − μ I is at most (ν − μ) I, and by its Schur complement (Haynsworth)
 *   n₊(G̃ − μ I) ≤ n₊(H − μ I + Fᵀ F / (μ − ν)),  H = Qᵀ G̃ Q,  F = P G̃ Q.
 * Whatever the vectors are this holds. Rounding, in the Frobenius norm and u = 2⁻⁵³ (Higham, Accuracy and Stability, 3.5,
 * 10.3, 19.4): products with A are off by (out + in) u ‖A‖²_F √q and Q is 8 n u √q from orthonormal, together at most
 * e = 32 (out + in) u √q (‖A‖_F + ‖change‖)² for H and for F, hence e (1 + 2 ‖F‖ / (μ − ν)) + e² / (μ − ν) and the eigenvalues' own
 * 32 q u ‖·‖: those above minus that are counted. Of ν, whose blocks hang on H, F and Q, it is 6 √q e for each.
 */
export function complementCounts(tools: Tools, given: Deflatable): ShiftedCounts {
  let made: Promise<Parts> | undefined;
  const known: number[] = [];
  const proves =
    (which: "before" | "after"): Proves =>
    async ({ p, t }) => {
      const mu = t * t;
      const { restBelow, error, ...parts } = await (made ??= partsOf(tools, given));
      const nu = error < 1e-6 * mu ? await restBelow(share * mu) : undefined;
      if (nu === undefined) return undefined;
      const { H, F } = parts[which];
      const q = H.rows;
      const FF = await tools.linalg.multiply(F, F, { transposeA: true });
      const data = H.data.map((h, i) => h + at(FF.data, i) / (mu - nu) - (i % (q + 1) ? 0 : mu));
      const doubt =
        error * (1 + (2 * frobenius(F) + error) / (mu - nu)) +
        32 * q * u * frobenius({ ...H, data });
      const values = await tools.linalg.eigenvalues({ ...H, data });
      if (values.reduce((sum, value) => sum + Number(!(value < -doubt)), 0) > p) return undefined;
      known.push(t);
      return mu;
    };
  return { before: proves("before"), after: proves("after"), known: () => known };
}

/** H and F of one matrix. */
interface Split {
  readonly H: Matrix;
  readonly F: Matrix;
}

interface Parts {
  readonly before: Split;
  readonly after: Split;
  readonly error: number;
  /** ν, where one below a number is found. */
  readonly restBelow: RestBelow;
}

async function partsOf(
  tools: Tools,
  { base, size, near, tuned, change }: Deflatable,
): Promise<Parts> {
  const { linalg } = tools;
  const wide = base.rows <= base.columns;
  const ofSide = ({ left, right }: TopVectors) => transposedCopy(wide ? left : right);
  const known = [ofSide(near), ofSide(tuned), ...(change ? [change.left] : [])];
  const { Q } = await linalg.qr(joinColumns(known));
  const A = denseOperator(tools, base);
  const image = wide ? await A.applyTransposed(Q) : await A.apply(Q);
  const GQ = wide ? await A.apply(image) : await A.applyTransposed(image);
  const split = async (applied: Matrix): Promise<Split> => {
    const H = await linalg.multiply(Q, applied, { transposeA: true });
    return { H, F: subtract(applied, await linalg.multiply(Q, H)) };
  };
  const before = await split(GQ);
  const after = change
    ? await split(await applyChanged(tools, () => Promise.resolve(GQ), change)(Q))
    : before;
  const error =
    32 *
    (base.rows + base.columns) *
    u *
    Math.sqrt(Q.columns) *
    (size + (change?.length ?? 0)) ** 2;
  // Of a block: 2 for F, 1 for H, 2 for Q beside both, and the products; √q makes that hold of its trace too.
  const rounding = 6 * Math.sqrt(Q.columns) * error;
  const square = size ** 2 - frobenius(image) ** 2;
  const restBelow = restNorms(tools, base, { Q, ...before, square, rounding });
  return { before, after, error, restBelow };
}
