/** @file Counts of singular values above a number, by what costs least: without a Gram matrix where that proves enough. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { complementCounts, type Deflatable } from "./complement-counts.ts";
import { formGram } from "./gram.ts";
import type { Cut } from "./known-gaps.ts";
import type { Tools } from "./products.ts";
import { shiftedCounts, type ShiftedCounts } from "./shifted-counts.ts";

/** A matrix and its Gram matrix of the smaller side, where it was formed; else it is made of up to `countBelow` rows, where it is needed. */
export interface Countable extends Deflatable {
  readonly gram: Matrix | undefined;
  readonly countBelow: number;
}

export function gapCounts(tools: Tools, given: Countable): ShiftedCounts {
  const { base, countBelow } = given;
  const long = Math.max(base.rows, base.columns);
  const shifted = (gram: Matrix) => shiftedCounts(tools, { ...given, gram, long });
  if (given.gram !== undefined) return shifted(given.gram);
  const quick = complementCounts(tools, given);
  let formed: ShiftedCounts | undefined;
  const proves = (which: "before" | "after") => async (cut: Cut) => {
    const found = await quick[which](cut);
    if (found !== undefined || Math.min(base.rows, base.columns) > countBelow) return found;
    formed ??= shifted(await formGram(tools, base));
    return formed[which](cut);
  };
  return {
    before: proves("before"),
    after: proves("after"),
    known: () => [...quick.known(), ...(formed?.known() ?? [])],
  };
}
