/** @file What is read off a list of singular values. */
import type { DType } from "../../shared/dtypes.ts";
import { marchenkoPastur } from "./marchenko-pastur.ts";
import { fitPowerLaw } from "./power-law.ts";
import type { SpectrumRecord } from "../../shared/spectra-records.ts";
import { sum } from "../../shared/sums.ts";

export interface SpectrumFacts {
  readonly out: number;
  readonly in: number;
  /** What the file stores: its rounding hides smaller values. */
  readonly dtype: DType;
  readonly rule?: "median" | "weightwatcher";
}

/** Unit roundoff of what a file stores; whole numbers and unknown types count as float32. */
export function unitRoundoff(dtype: DType): number {
  if (dtype === "float64") return 2 ** -53;
  if (dtype === "float16") return 2 ** -11;
  if (dtype === "bfloat16") return 2 ** -8;
  return 2 ** -24;
}

/**
 * All figures of one spectrum (descending, non-negative). Values below u ‖W‖_F (√out + √in) / √(out in), the norm of
 * a matrix of roundings, u the unit roundoff of the stored type, do not count as rank.
 */
export function spectrumRecord(sigma: readonly number[], facts: SpectrumFacts): SpectrumRecord {
  const { out, in: columns, dtype } = facts;
  const top = sigma[0] ?? 0;
  const unit = sigma.map((value) => (top === 0 ? 0 : value / top));
  const squares = unit.reduce((sum, value) => sum + value * value, 0);
  const total = sum(unit);
  const frobenius = top * Math.sqrt(squares);
  const threshold = Math.max(
    (unitRoundoff(dtype) * frobenius * (Math.sqrt(out) + Math.sqrt(columns))) /
      Math.sqrt(out * columns || 1),
    8 * Math.min(out, columns) * 2 ** -53 * frobenius,
  );
  const numericalRank = sigma.filter((value) => value > threshold).length;
  const lambdas = sigma.slice(0, numericalRank).map((value) => value * value);
  const powerLaw = fitPowerLaw(lambdas);
  const least = sigma.at(-1) ?? 0;
  return {
    sigma,
    sigmaError: 8 * Math.min(out, columns) * 2 ** -53 * frobenius,
    frobenius,
    stableRank: squares,
    effectiveRank: total === 0 ? 0 : Math.exp(entropy(unit.map((value) => value / total))),
    matrixEntropy:
      numericalRank < 2
        ? undefined
        : entropy(unit.map((value) => (value * value) / squares)) / Math.log(numericalRank),
    numericalRank,
    numericalRankThreshold: threshold,
    conditionNumber:
      sigma.length === Math.min(out, columns) && least > threshold ? top / least : undefined,
    powerLaw,
    marchenkoPastur: marchenkoPastur(lambdas, [out, columns], powerLaw, facts.rule),
  };
}

function entropy(p: readonly number[]): number {
  return p.reduce((sum, value) => (value > 0 ? sum - value * Math.log(value) : sum), 0);
}
