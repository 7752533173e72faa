/** @file How many eigenvalues of a symmetric matrix lie above, below and at a number, from its LDLᵀ factorisation. */
import { normalise, part, type Block, type Workspace } from "../linalg/workspace.ts";

/** Counts of eigenvalues by sign. */
export interface Inertia {
  readonly positive: number;
  readonly negative: number;
  readonly zero: number;
  /** The smallest magnitude of an eigenvalue of D: near zero the counts hang on rounding. */
  readonly smallestPivot: number;
}

/**
 * The inertia of S − shift I (Sylvester): exact for a matrix within about n · 2⁻⁵³ ‖S − shift I‖ times the growth of the
 * Bunch–Kaufman factorisation, so it decides where no eigenvalue is that near to the shift. S, of
 * which the lower triangle is read, is destroyed.
 */
export function symmetricInertia(ws: Workspace, S: Block, shift: number): Promise<Inertia> {
  return ws.scoped(() => {
    const n = S.rows;
    const values = ws.view(S);
    for (let i = 0; i < n; i++) values[i * n + i] = (values[i * n + i] ?? NaN) - shift;
    const factor = normalise(ws, S);
    const work = ws.take(2, n);
    const out = ws.zeros(1, 4);
    ws.call.factorSymmetric(n, S.at, S.rowStep, work.at, out.at);
    const [positive = NaN, negative = NaN, zero = NaN, smallest = NaN] = ws.view(
      part(out, 0, 0, 1, 4),
    );
    return Promise.resolve({
      positive,
      negative,
      zero,
      smallestPivot: n === 0 ? 0 : smallest * factor,
    });
  });
}
