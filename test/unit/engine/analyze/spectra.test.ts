/** @file Figures of spectra, low-rank updates, overlaps, controls and mitigation against what definitions give. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { normalMatrix } from "../../../../kernels/krylov/normal.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { randomUpdate, rotatedUpdate } from "../../../../src/engine/analyze/controls.ts";
import { countGrid } from "../../../../src/engine/analyze/counts.ts";
import { intruderDefaults } from "../../../../src/engine/analyze/finding.ts";
import { intruders } from "../../../../src/engine/analyze/intruders.ts";
import { svdOfFactors, valuesOfFactors } from "../../../../src/engine/analyze/low-rank.ts";
import { compressed, mitigate } from "../../../../src/engine/analyze/mitigation.ts";
import { noiseFloor } from "../../../../src/engine/analyze/noise-floor.ts";
import { overlapOf } from "../../../../src/engine/analyze/overlap.ts";
import { spectrumRecord } from "../../../../src/engine/analyze/ranks.ts";
import { matrixSpectra, spectraDefaults } from "../../../../src/engine/analyze/spectra.ts";
import { at } from "../../../../src/shared/errors.ts";
import { makeLinalg, random } from "../../kernels/linalg/matrices.ts";
import { added, pairOf, sample, times } from "./families.ts";

let linalg: Linalg;
before(async () => {
  linalg = await makeLinalg();
});
const near = (a: number, b: number, tolerance: number, what = "") =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.abs(b), `${what} ${a} is not ${b}`);

describe("figures of a spectrum", () => {
  it("are those of the definitions", () => {
    const record = spectrumRecord([4, 2, 2, 0], { out: 4, in: 5, dtype: "float32" });
    near(record.frobenius, Math.sqrt(24), 1e-12);
    near(record.stableRank, 24 / 16, 1e-12);
    near(record.effectiveRank, Math.exp(0.5 * Math.log(2) + 0.5 * Math.log(4)), 1e-12);
    assert.equal(record.numericalRank, 3);
    assert.equal(record.conditionNumber, undefined);
    assert.ok("refused" in record.powerLaw && "refused" in record.marchenkoPastur);
  });

  it("see a random matrix as one, and a spike beyond its edge", async () => {
    const W = normalMatrix(240, 400, 3);
    const figures = async (A: Matrix) =>
      spectrumRecord(Array.from(await linalg.singularValues(A)), {
        ...{ out: 240, in: 400, dtype: "float32" },
      }).marchenkoPastur;
    const plain = await figures(W);
    assert.ok("sigmaMp" in plain);
    near(plain.sigmaMp, 1, 0.02);
    assert.ok(plain.D < 0.03 && plain.overlay && plain.spikes === 0, JSON.stringify(plain));
    const spike = times(random(240, 1, 1), random(1, 400, 2));
    const spiked = await figures(added(W, { ...spike, data: spike.data.map((x) => 0.8 * x) }));
    assert.ok("spikes" in spiked && spiked.spikes === 1);
  });

  it("have the noise floors of the literature", () => {
    for (const [n, floor] of [
      [64, 0.316],
      [128, 0.245],
      [256, 0.188],
      [768, 0.118],
      [4096, 0.059],
    ] as const)
      near(noiseFloor(n, n), floor, 0.02, `n ${n}:`);
  });
});

describe("updates", () => {
  it("as factors have the spectrum of the product", async () => {
    const factors = [
      { B: random(90, 5, 1), A: random(5, 70, 2), scale: 2 },
      { B: random(90, 3, 3), A: random(3, 70, 4), scale: -0.5 },
    ];
    const dense = added(
      times(
        { ...at(factors, 0).B, data: at(factors, 0).B.data.map((x) => 2 * x) },
        at(factors, 0).A,
      ),
      times(
        { ...at(factors, 1).B, data: at(factors, 1).B.data.map((x) => -x / 2) },
        at(factors, 1).A,
      ),
    );
    const expected = await linalg.singularValues(dense);
    const svd = await svdOfFactors(linalg, factors);
    const values = await valuesOfFactors(linalg, factors);
    for (let i = 0; i < 8; i++) {
      near(at(svd.sigma, i), at(expected, i), 1e-10);
      near(at(values, i), at(expected, i), 1e-10);
    }
    const same = await overlapOf(linalg, "w", svd, svd);
    near(same.cosine, 1, 1e-10);
    near(at(at(same.left, 4), 4), 1, 1e-10);
    assert.ok(same.rightAngles.every((angle) => angle < 1e-6));
    for (const control of [await randomUpdate(linalg, svd, 7), await rotatedUpdate(linalg, svd, 7)])
      for (const [i, value] of (await valuesOfFactors(linalg, [control])).entries())
        near(value, at(expected, i), 1e-10, "control");
  });

  it("are measured beside their base", async () => {
    const { pair, base, tuned } = sample("wide", 6);
    const exact = await matrixSpectra({ linalg }, pair, spectraDefaults);
    const rounded = await matrixSpectra(
      { linalg },
      pairOf(base, { kind: "tuned", W: tuned }),
      spectraDefaults,
    );
    assert.ok(exact.update !== undefined && rounded.update !== undefined);
    assert.equal(exact.update.spectrum.sigma.length, 4);
    assert.equal(exact.update.from, "exact");
    assert.equal(rounded.update.from, "difference");
    near(rounded.update.relativeSize, exact.update.relativeSize, 1e-9);
    assert.ok(rounded.update.roundingFloor > 0);
    const shares = exact.update.alignment.map(({ share }) => share);
    assert.ok(shares.length === 3 && at(shares, 0) <= at(shares, 2) && at(shares, 2) <= 1);
    near(at(rounded.update.alignment, 1).share, at(shares, 1), 1e-4);
  });
});

describe("mitigation", () => {
  const options = { which: "all", control: false, seed: 0, exactBelow: 200 } as const;
  const intruderOptions = { ...intruderDefaults, k: 8 };

  it("is exactly an adapter of rank r + |I| and scales the singular values of W", async () => {
    const { pair, base, tuned } = sample("tall", 7);
    const record = await intruders({ tools: { linalg }, now: () => 0 }, pair, intruderOptions);
    assert.ok(record.count >= 2, `${record.count}`);
    const made = await mitigate({ linalg }, await pair.load(), record, { ...options, keep: 0.5 });
    assert.ok(made.kind === "adapter");
    assert.equal(made.record.rankAfter, 4 + record.count);
    assert.equal(made.factors.A.rows, 4 + record.count);
    const W = added(base, times(inDouble(made.factors.B), inDouble(made.factors.A)));
    const before = await linalg.svd(tuned);
    const after = await linalg.svd(W);
    const expected = Array.from(before.sigma, (s, j) =>
      record.vectors.some(({ index, intruder }) => index === j && intruder === true) ? s / 2 : s,
    ).sort((a, b) => b - a);
    for (const [i, value] of expected.entries()) near(at(after.sigma, i), value, 1e-8);
    const whole = await compressed(linalg, made.factors, 4 + record.count);
    assert.ok(whole.loss < 1e-12);
    const small = await compressed(linalg, made.factors, 4);
    assert.ok(small.loss > 0 && small.loss < 1 && small.factors.A.rows === 4);
  });

  it("with keep 1 leaves W as it is; the control scales a vector that is no intruder", async () => {
    const { pair } = sample("tall", 7);
    const record = await intruders({ tools: { linalg }, now: () => 0 }, pair, intruderOptions);
    const loaded = await pair.load();
    const same = await mitigate({ linalg }, loaded, record, { ...options, keep: 1 });
    assert.equal(same.kind, "unchanged");
    const control = await mitigate({ linalg }, loaded, record, {
      ...options,
      ...{ keep: 0, which: "top", control: true },
    });
    assert.equal(control.record.indices.length, 1);
    const index = at(control.record.indices, 0);
    assert.equal(at(record.vectors, index).intruder, false);
    const scaled = { ...loaded, update: { kind: "tuned", W: sample("tall", 7).tuned } } as const;
    const merged = await mitigate({ linalg }, scaled, record, { ...options, keep: 0 });
    assert.equal(merged.kind, "correction");
  });
});

describe("counts", () => {
  it("do not fall when ε or k grows", async () => {
    const records = [];
    for (const seed of [2, 3, 6])
      records.push(
        await intruders({ tools: { linalg }, now: () => 0 }, sample("square", seed).pair, {
          ...{ ...intruderDefaults, exact: true, k: { share: 0.3 } },
        }),
      );
    const { certain: counts } = countGrid(records, [0.2, 0.4, 0.5, 0.7, 0.9], [1, 2, 5, 10, 20]);
    for (const [i, row] of counts.entries())
      for (const [j, count] of row.entries()) {
        assert.ok(count >= (row[j - 1] ?? 0) && count >= (counts[i - 1]?.[j] ?? 0));
      }
    assert.ok((counts[4]?.[4] ?? 0) > 0);
  });
});

function inDouble(A: Matrix<Float64Array | Float32Array>): Matrix {
  return { ...A, data: Float64Array.from(A.data) };
}
