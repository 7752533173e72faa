/** @file Quantizers side by side on the sample's base, calibrated on one draw of its general text. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isRecord } from "../../src/shared/wire.ts";
import { spectune } from "./command-line.ts";

const sample = join(import.meta.dirname, "../../media/sample");

export const sampleBits = [2, 3, 4] as const;
export const sampleSeeds = [1, 2, 3] as const;
/** By rounding, GPTQ and AWQ at each number of bits, in groups of 32. */
export const sampleLabels = sampleBits.flatMap((b) => [
  `rtn:${b}:32`,
  `gptq:${b}:32`,
  `awq:${b}:32`,
]);

export interface SampleComparison {
  readonly perplexities: ReadonlyMap<string, number>;
  /** Error of the outputs summed over layers, by kind of matrix and label. */
  readonly errors: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export async function comparedSample(folder: string, seed: number): Promise<SampleComparison> {
  const { code, out, err } = await spectune(
    folder,
    "quantize",
    join(sample, "base"),
    "--compare",
    sampleLabels.join(","),
    ...["--calibration", join(sample, "data/general.txt"), "--samples", "24", "--length", "256"],
    ...["--seed", String(seed), "--json"],
  );
  assert.equal(code, 0, err);
  const found: unknown = JSON.parse(out);
  assert.ok(isRecord(found) && Array.isArray(found["rows"]) && Array.isArray(found["matrices"]));
  const perplexities = new Map<string, number>();
  const rows: readonly unknown[] = found["rows"];
  for (const row of rows) {
    assert.ok(isRecord(row) && isRecord(row["perplexity"]) && typeof row["label"] === "string");
    perplexities.set(row["label"], Number(row["perplexity"]["value"]));
  }
  const errors = new Map<string, Map<string, number>>();
  const matrices: readonly unknown[] = found["matrices"];
  for (const matrix of matrices) {
    assert.ok(isRecord(matrix) && isRecord(matrix["errors"]) && typeof matrix["kind"] === "string");
    const sums = errors.get(matrix["kind"]) ?? new Map<string, number>();
    errors.set(matrix["kind"], sums);
    for (const [label, error] of Object.entries(matrix["errors"])) {
      assert.ok(isRecord(error));
      sums.set(label, (sums.get(label) ?? 0) + Number(error["output"]));
    }
  }
  return { perplexities, errors };
}

/** Perplexities of all draws, their mean, and how far they lie apart. */
export function perplexityOver(draws: readonly SampleComparison[], label: string) {
  const values = draws.map(({ perplexities }) => perplexities.get(label) ?? NaN);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, spread: Math.max(...values) - Math.min(...values), values };
}

/** An error in parts of that of rounding with as many bits. */
export function shareOfRounding(
  { errors }: SampleComparison,
  kind: string,
  quantizer: string,
  bits: number,
): number {
  const of = (name: string): number => errors.get(kind)?.get(`${name}:${bits}:32`) ?? NaN;
  return of(quantizer) / of("rtn");
}
