/** @file Keeps Lanczos away from directions that are known already: fewer steps for what is left of the spectrum. */
import { columnNorms, subtract, type Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import type { Deflated } from "./certificate.ts";
import type { Apply } from "./gram.ts";
import { columnOf, columnsOf } from "./lockstep-lanczos.ts";
import { product, timesColumns, type Tools } from "./products.ts";
import type { TopVectors } from "./top-vectors.ts";

export interface Deflation {
  /** (I − X Xᵀ) G (I − X Xᵀ) */
  readonly apply: (X: Matrix) => Promise<Matrix>;
  /** (I − X Xᵀ) s */
  readonly starts: readonly Float64Array[];
  /** For each start: θ, residual and ⟨s, x⟩ of each x. */
  readonly deflated: readonly (readonly Deflated[])[];
}

/** X from the top left vectors: they themselves for W₀W₀ᵀ, W₀ᵀ u made orthonormal for W₀ᵀW₀; then Rayleigh and Ritz. `rounding`: of a product with G, which joins what was measured with it. */
export async function deflate(
  tools: Tools,
  W: Operator,
  G: Apply,
  rounding: number,
  top: TopVectors,
  starts: readonly Float64Array[],
): Promise<Deflation> {
  const { linalg } = tools;
  const left = transposedCopy(top.left);
  const raw = W.rows <= W.columns ? left : await W.applyTransposed(left);
  const { Q } = await linalg.qr(raw);
  const image = await G(Q);
  const H = await linalg.multiply(Q, image, { transposeA: true });
  const { values, V } = await linalg.eigh(H);
  const all = await linalg.multiply(Q, V);
  const GX = await linalg.multiply(image, V);
  const errors = columnNorms(subtract(GX, timesColumns(all, values)));
  for (const [i, error] of errors.entries()) errors[i] = error + rounding;
  // One with a large residual would widen every window around it; Lanczos finds that part again.
  const good = Array.from(values, (_, i) => i).filter((i) => at(errors, i) <= 1e-3 * at(values, i));
  const X = columnsOf(good.map((i) => columnOf(all, i)));
  if (good.length === 0) return { apply: G, starts, deflated: starts.map(() => []) };
  const rows = transposedCopy(X);
  const without = async (Y: Matrix) =>
    subtract(Y, await product(tools, X, await product(tools, rows, Y)));
  const S = columnsOf(starts);
  const overlaps = await linalg.multiply(X, S, { transposeA: true });
  // Of a start that all but lies in X, one round would leave rounding.
  const rest = await without(await without(S));
  return {
    apply: async (Y) => without(await G(await without(Y))),
    starts: starts.map((_, j) => columnOf(rest, j)),
    deflated: starts.map((_, j) =>
      good.map((from, i) => ({
        theta: at(values, from),
        residual: at(errors, from),
        overlap: at(overlaps.data, i * starts.length + j),
      })),
    ),
  };
}
