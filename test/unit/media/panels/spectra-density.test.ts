/** @file Laws over a density: they hold as many values as they were fitted to, and none is drawn where it says nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Entry } from "../../../../media/analysis/documents.ts";
import type { Law } from "../../../../media/panels/spectra/density.ts";
import { bulkLawOf, densityOf, powerLawOf } from "../../../../media/panels/spectra/density.ts";
import { marchenkoPastur } from "../../../../src/engine/analyze/marchenko-pastur.ts";
import { fitPowerLaw } from "../../../../src/engine/analyze/power-law.ts";

const count = 400;
const shares = Array.from({ length: count }, (_, index) => (index + 0.5) / count);

/** As the analysis would record these λ = σ² of a matrix of this size. */
function recordOf(lambdas: readonly number[], size: readonly [number, number]): Entry {
  const powerLaw = fitPowerLaw(lambdas);
  const sigma = lambdas.map(Math.sqrt).toSorted((a, b) => b - a);
  return { sigma, powerLaw, marchenkoPastur: marchenkoPastur(lambdas, size, powerLaw) };
}

/** λ of a power law of this exponent above 1. */
const tail = (alpha: number): readonly number[] =>
  shares.map((share) => (1 - share) ** (-1 / (alpha - 1)));

/** λ of a random matrix of `count` rows and twice as many columns, by the law's own density. */
function bulk(): readonly number[] {
  const [low, high] = [(1 - Math.SQRT1_2) ** 2, (1 + Math.SQRT1_2) ** 2];
  const places = Array.from({ length: 20_001 }, (_, i) => low + ((high - low) * i) / 20_000);
  const sums: number[] = [];
  let sum = 0;
  for (const x of places) sums.push((sum += Math.sqrt((high - x) * (x - low)) / x));
  return shares.map((share) => places[sums.findIndex((each) => each >= share * sum)] ?? NaN);
}

/** The values that a law holds, by its counts in bins of this width. */
function heldBy(law: Law, width: number): number {
  const steps = 20_000;
  let sum = 0;
  for (let i = 0; i < steps; i += 1)
    sum += law.count(law.from + ((law.to - law.from) * (i + 0.5)) / steps);
  return ((sum / steps) * (law.to - law.from)) / width;
}

function densityAt(spectrum: Entry) {
  const density = densityOf(spectrum);
  assert(density);
  const [first = NaN, second = NaN] = density.edges;
  return { density, width: second - first };
}

describe("the density of a spectrum", () => {
  it("counts every value", () => {
    const { density } = densityAt(recordOf(tail(3), [count, 800]));
    assert.equal(
      density.counts.reduce((sum, each) => sum + each, 0),
      count,
    );
  });

  it("is none of few values", () => {
    assert.equal(densityOf({ sigma: [3, 2, 1, 0] }), undefined);
  });
});

describe("a power law over it", () => {
  it("holds the values of the tail", () => {
    const record = recordOf(tail(3), [count, 800]);
    const { density, width } = densityAt(record);
    const law = powerLawOf(record, density);
    assert(typeof law !== "string");
    assert.equal(law.from, Math.log10(Math.min(...tail(3))));
    // What lies beyond the largest value is the tail's end.
    assert(Math.abs(heldBy(law, width) - count) < 0.01 * count, String(heldBy(law, width)));
  });

  it("is not drawn over so light a tail, nor where a log-normal is better", () => {
    const light = recordOf(tail(9), [count, 800]);
    assert.equal(powerLawOf(light, densityAt(light).density), "no heavy tail");
    const random = recordOf(tail(3), [count, 800]);
    const better = { alpha: 3, xmin: 1, nTail: 400, D: 0.01, logNormalRatio: -9, logNormalP: 0.01 };
    const { density } = densityAt(random);
    assert.equal(powerLawOf({ ...random, powerLaw: better }, density), "log-normal");
    const poor = { ...better, logNormalRatio: 1, D: 0.3 };
    assert.equal(powerLawOf({ ...random, powerLaw: poor }, density), "poor fit");
    assert.equal(powerLawOf({ powerLaw: { refused: "few" } }, density), "none fitted");
  });
});

describe("Marchenko and Pastur's law over it", () => {
  it("holds the values of the bulk and lies where they do", () => {
    const record = recordOf(bulk(), [count, 800]);
    const { density, width } = densityAt(record);
    const law = bulkLawOf(record, density);
    assert(law);
    assert(Math.abs(heldBy(law, width) - count) < 0.01 * count, String(heldBy(law, width)));
    const middles = density.edges.slice(1).map((edge) => edge - width / 2);
    const off = middles.map((middle, index) =>
      middle < law.from || middle > law.to
        ? 0
        : Math.abs(law.count(middle) - (density.counts[index] ?? NaN)),
    );
    assert(Math.max(...off) < 6, String(Math.max(...off)));
  });

  it("is not drawn where the analysis says that it does not fit", () => {
    const record = recordOf(tail(2), [count, 800]);
    assert.equal(bulkLawOf(record, densityAt(record).density), undefined);
  });
});
