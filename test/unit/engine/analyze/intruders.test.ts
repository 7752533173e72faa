/** @file Verdicts against the official procedure on families of matrices; planted directions; what must not change them. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { intruderDefaults, type IntruderOptions } from "../../../../src/engine/analyze/finding.ts";
import { intruders } from "../../../../src/engine/analyze/intruders.ts";
import type { KeptSvd, SvdCache, Update } from "../../../../src/engine/analyze/source.ts";
import { at } from "../../../../src/shared/errors.ts";
import { makeLinalg, random, scaled, withSingularValues } from "../../kernels/linalg/matrices.ts";
import { compareFamily } from "./compare-family.ts";
import { added, mapped, pairOf, sample, times, type Family } from "./families.ts";

const k = 6;
const options: IntruderOptions & { readonly k: number } = { ...intruderDefaults, k, exactBelow: 0 };
let linalg: Linalg;
before(async () => {
  linalg = await makeLinalg();
});
const context = () => ({ tools: { linalg }, now: () => 0 });

/** A tenth of what the deep test tries. */
const families: readonly (readonly [Family, number])[] = [
  ["square", 2],
  ["tall", 8],
  ["wide", 8],
  ["rank-deficient", 4],
  ["clusters", 4],
  ["bfloat16", 2],
];

describe("verdicts", () => {
  for (const [family, count] of families)
    it(`equal the official procedure on ${count} matrices: ${family}`, async () => {
      const seen = await compareFamily(linalg, family, count, options);
      if (family !== "clusters" && family !== "rank-deficient")
        assert.ok(seen.certified + seen.witnessed >= seen.vectors / 2, JSON.stringify(seen));
    });

  it("of a matrix that was not trained are 0, at every number of vectors", async () => {
    for (const family of ["square", "tall", "wide"] as const) {
      const { base } = sample(family, 3);
      const update: Update = { kind: "tuned", W: base };
      const record = await intruders(context(), pairOf(base, update), options);
      assert.equal(record.count, 0, JSON.stringify(record.vectors));
      assert.equal(record.undecided, 0);
    }
  });

  it("find exactly one planted direction in square, tall and wide, and no amplified one", async () => {
    for (const [out, columns] of [
      [130, 130],
      [260, 130],
      [130, 260],
    ] as const) {
      const sigma = Array.from({ length: 130 }, (_, i) => 4 * 0.985 ** i);
      const base = withSingularValues(out, columns, sigma, out);
      const u = unit(random(out, 1, 5));
      const v = unit(random(1, columns, 6));
      const planted = [{ B: u, A: v, scale: 8 }];
      const one = await intruders(
        context(),
        pairOf(base, { kind: "factors", factors: planted }),
        options,
      );
      assert.equal(one.count, 1, JSON.stringify(one.vectors));
      assert.equal(one.vectors[0]?.intruder, true);
      const svd = await linalg.svd(base);
      const minor = [
        {
          B: rowMatrix(transposedCopy(svd.U), 90, "column"),
          A: rowMatrix(svd.Vt, 90, "row"),
          scale: 8,
        },
      ];
      const none = await intruders(
        context(),
        pairOf(base, { kind: "factors", factors: minor }),
        options,
      );
      assert.equal(none.count, 0, JSON.stringify(none.vectors));
    }
  });

  it("do not change when base and tuned are scaled", async () => {
    const { base, tuned } = sample("wide", 10);
    const plain = await intruders(context(), pairOf(base, { kind: "tuned", W: tuned }), options);
    for (const factor of [2 ** -40, 2 ** 40]) {
      const update: Update = { kind: "tuned", W: scaled(tuned, factor) };
      const record = await intruders(context(), pairOf(scaled(base, factor), update), options);
      assert.deepEqual(
        record.vectors.map(({ by, intruder }) => ({ by, intruder })),
        plain.vectors.map(({ by, intruder }) => ({ by, intruder })),
      );
    }
  });

  it("lie around the exact cosines, and come from the cache the second time", async () => {
    const kept = new Map<string, KeptSvd>();
    let made = 0;
    const cache: SvdCache = {
      read: (hash, kind) => Promise.resolve(kept.get(`${hash} ${kind}`)),
      write: (hash, kind, svd) => {
        made += 1;
        kept.set(`${hash} ${kind}`, svd);
        return Promise.resolve();
      },
    };
    const { pair } = sample("tall", 11);
    const first = await intruders(context(), pair, options);
    const exact = await intruders({ ...context(), cache }, pair, { ...options, exact: true });
    const again = await intruders({ ...context(), cache }, pair, { ...options, exact: true });
    assert.equal(made, 1);
    for (const [j, vector] of first.vectors.entries()) {
      const number = exact.vectors[j]?.official ?? NaN;
      assert.ok(vector.lower <= number + 1e-9 && number <= vector.upper + 1e-9, `vector ${j}`);
      // Kept vectors make W's own in another order of sums.
      assert.ok(Math.abs((again.vectors[j]?.official ?? NaN) - number) < 1e-12);
    }
  });

  it("with the float16 base of the official code differ where rounding does", async () => {
    const { pair } = sample("square", 13);
    const record = await intruders(context(), pair, { ...options, reference: "official-fp16" });
    assert.equal(record.reference, "official-fp16");
  });

  it("know the same W by factors, by difference and by its values, with scales of rows and columns", async () => {
    const { base } = sample("wide", 21);
    const B = random(base.rows, 3, 1);
    const A = scaled(random(3, base.columns, 2), 0.2);
    const rowScale = Float64Array.from({ length: base.rows }, (_, i) => 1 + (i % 3) / 10);
    const columnScale = Float64Array.from({ length: base.columns }, (_, i) => 1 - (i % 4) / 10);
    const sum = added(base, times(B, A));
    const W = {
      ...sum,
      data: sum.data.map(
        (value, i) =>
          value * at(rowScale, Math.floor(i / sum.columns)) * at(columnScale, i % sum.columns),
      ),
    };
    const delta = { ...W, data: W.data.map((value, i) => value - at(base.data, i)) };
    const updates: readonly Update[] = [
      { kind: "factors", factors: [{ B, A, scale: 1 }], rowScale, columnScale },
      { kind: "tuned", W },
      { kind: "dense", delta },
    ];
    const records = await Promise.all(
      updates.map((update) =>
        intruders(context(), pairOf(base, update), { ...options, exact: true }),
      ),
    );
    const cosines = records.map(({ vectors }) => vectors.map(({ official: c = NaN }) => c));
    for (const list of cosines)
      for (const [j, c] of list.entries())
        assert.ok(Math.abs(c - at(at(cosines, 0), j)) < 1e-6, `${c}`);
  });
});

function unit(A: Matrix): Matrix {
  const size = Math.sqrt(A.data.reduce((sum, value) => sum + value * value, 0));
  return mapped(A, (value) => value / size);
}

function rowMatrix({ columns, data }: Matrix, i: number, as: "row" | "column"): Matrix {
  const row = data.slice(i * columns, (i + 1) * columns);
  return as === "row" ? { rows: 1, columns, data: row } : { rows: columns, columns: 1, data: row };
}
