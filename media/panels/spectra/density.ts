/** @file The density of λ = σ² over its logarithm, and the laws fitted to it as counts over the same bins. */
import type { Entry } from "../../analysis/documents.ts";
import { at, number, numbers } from "../../analysis/documents.ts";

const bins = 40;
/** Fewer values have no density to look at; neither law is fitted to them. */
const leastValues = 50;

export interface Density {
  /** Of log10 λ, evenly; one more than there are counts. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** The counts of λ > 0 in even bins of log10 λ; undefined where there are too few. */
export function densityOf(spectrum: Entry): Density | undefined {
  const logs = numbers(spectrum, "sigma")
    .filter((sigma) => sigma * sigma > 0)
    .map((sigma) => 2 * Math.log10(sigma));
  if (logs.length < leastValues) return undefined;
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const edges = Array.from({ length: bins + 1 }, (_, index) => low + ((high - low) * index) / bins);
  const counts = new Array<number>(bins).fill(0);
  for (const value of logs) {
    const bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, counts };
}

/** A fitted law over [from, to] of log10 λ: how many values a bin around `x` would hold by it. */
export interface Law {
  readonly from: number;
  readonly to: number;
  readonly count: (x: number) => number;
}

/** Why a power law is not drawn over the density. */
export type Refusal = "none fitted" | "no heavy tail" | "log-normal" | "poor fit";

/** Above it the tail is as light as a random matrix's (WeightWatcher's bound). */
const heaviest = 6;

/** The power law of the tail, scaled to the values in it; or why it says nothing here. */
export function powerLawOf(spectrum: Entry, { edges }: Density): Law | Refusal {
  const law = at(spectrum, "powerLaw");
  const [alpha, xmin, tail] = ["alpha", "xmin", "nTail"].map((name) =>
    number(spectrum, "powerLaw", name),
  );
  if (law === undefined || !(alpha && xmin && tail)) return "none fitted";
  if (alpha > heaviest) return "no heavy tail";
  const [ratio, p] = [
    number(spectrum, "powerLaw", "logNormalRatio"),
    number(spectrum, "powerLaw", "logNormalP"),
  ];
  if (ratio < 0 && p < 0.1) return "log-normal";
  // Kolmogorov and Smirnov's 5 % of so many values, but never stricter than what an eye takes for a fit.
  if (number(spectrum, "powerLaw", "D") > Math.max(0.1, 1.36 / Math.sqrt(tail))) return "poor fit";
  const scale = tail * (alpha - 1) * Math.LN10 * binWidth(edges);
  const from = Math.log10(xmin);
  return {
    from,
    to: edges.at(-1) ?? from,
    count: (x) => scale * 10 ** ((1 - alpha) * (x - from)),
  };
}

/**
 * Marchenko and Pastur's law of the bulk, scaled to the values in it; undefined where the analysis says that it does not
 * fit. Its ends give its density: 2 √((λ₊ − λ)(λ − λ₋)) / (π λ (√λ₊ − √λ₋)²).
 */
export function bulkLawOf(spectrum: Entry, { edges, counts }: Density): Law | undefined {
  if (at(spectrum, "marchenkoPastur", "overlay") !== true) return undefined;
  const [lower = NaN, upper = NaN, spikes = NaN] = ["lower", "upper", "spikes"].map((name) =>
    number(spectrum, "marchenkoPastur", name),
  );
  const inside = counts.reduce((sum, count) => sum + count, 0) - spikes;
  const spread = Math.PI * (Math.sqrt(upper) - Math.sqrt(lower)) ** 2;
  const scale = (2 * inside * Math.LN10 * binWidth(edges)) / spread;
  return {
    from: Math.max(Math.log10(lower), edges[0] ?? -Infinity),
    to: Math.log10(upper),
    count: (x) => {
      const lambda = 10 ** x;
      return scale * Math.sqrt(Math.max(0, (upper - lambda) * (lambda - lower)));
    },
  };
}

function binWidth(edges: readonly number[]): number {
  return ((edges.at(-1) ?? 0) - (edges[0] ?? 0)) / bins;
}
