/** @file Verdicts beside the official procedure over one family of matrices. */
import assert from "node:assert/strict";
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import type { IntruderOptions } from "../../../../src/engine/analyze/finding.ts";
import { intruders } from "../../../../src/engine/analyze/intruders.ts";
import { at } from "../../../../src/shared/errors.ts";
import { official, sample, type Family } from "./families.ts";

/** How the verdicts of a family came about. */
export interface Seen {
  vectors: number;
  certified: number;
  witnessed: number;
  basisDependent: number;
  /** Within 1e-3 of ε, or basis-dependent, and another word than the official one. */
  reported: number;
}

/** Fails unless verdicts differ only where they are basis-dependent or within 1e-3 of ε, and bounds hold. */
export async function compareFamily(
  linalg: Linalg,
  family: Family,
  count: number,
  options: IntruderOptions & { readonly k: number },
): Promise<Seen> {
  const seen: Seen = { vectors: 0, certified: 0, witnessed: 0, basisDependent: 0, reported: 0 };
  for (let seed = 0; seed < count; seed++) {
    const { pair, base, tuned } = sample(family, 100 * seed + 7 + (seed % 4));
    const numbers = await official(linalg, base, tuned, options.k);
    const record = await intruders({ tools: { linalg }, now: () => 0 }, pair, options);
    for (const [j, vector] of record.vectors.entries()) {
      const number = at(numbers, j);
      const where = `${family} ${seed}, vector ${j}: official ${number}, ${JSON.stringify(vector)}`;
      const free = vector.by === "basis-dependent";
      seen.vectors += 1;
      if (vector.proof.kind === "lanczos" || vector.proof.kind === "bessel") seen.certified += 1;
      if (vector.proof.kind === "witness") seen.witnessed += 1;
      if (free) seen.basisDependent += 1;
      if (!free) assert.ok(vector.lower <= number + 1e-3 && number <= vector.upper + 1e-3, where);
      if (vector.intruder === number < options.epsilon) continue;
      assert.ok(free || Math.abs(number - options.epsilon) < 1e-3, where);
      seen.reported += 1;
    }
  }
  return seen;
}
