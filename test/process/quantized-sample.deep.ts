/** @file GPTQ and AWQ on the sample model at 2, 3 and 4 bits against plain rounding: every kind of matrix, and perplexity over three draws of calibration text. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { isRecord } from "../../src/shared/wire.ts";
import { spectune } from "../support/command-line.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const sample = join(import.meta.dirname, "../../media/sample");
const bits = [2, 3, 4] as const;
const labels = bits.flatMap((b) => [`rtn:${b}:32`, `gptq:${b}:32`, `awq:${b}:32`]);

it("loses less than rounding where it should", { timeout: 3_600_000 }, async (t) => {
  const perplexities = new Map<string, number[]>();
  for (const seed of [1, 2, 3]) {
    const { rows, matrices } = await compared(scratch(t), seed);
    for (const { label, perplexity } of rows)
      perplexities.set(label, [...(perplexities.get(label) ?? []), perplexity]);
    const sums = new Map<string, number>();
    for (const { kind, errors } of matrices)
      for (const [label, output] of errors)
        sums.set(`${kind} ${label}`, (sums.get(`${kind} ${label}`) ?? 0) + output);
    const kinds = new Set(matrices.map(({ kind }) => kind));
    assert.equal(kinds.size, 7);
    for (const kind of kinds)
      for (const b of bits) {
        const share = (name: string) =>
          (sums.get(`${kind} ${name}:${b}:32`) ?? NaN) / (sums.get(`${kind} rtn:${b}:32`) ?? NaN);
        assert.ok(share("gptq") < 0.3, `GPTQ, ${kind}, ${b} bits: ${share("gptq")} of rounding's`);
        assert.ok(share("awq") < 1, `AWQ, ${kind}, ${b} bits: ${share("awq")} of rounding's`);
        for (const name of ["gptq", "awq"] as const)
          t.diagnostic(`seed ${seed}, ${name}, ${kind}, ${b} bits: ${share(name).toFixed(3)}`);
      }
  }
  const mean = (label: string) =>
    (perplexities.get(label) ?? [NaN]).reduce((sum, one) => sum + one, 0) / 3;
  for (const label of ["float", ...labels]) {
    const all = perplexities.get(label) ?? [];
    const spread = Math.max(...all) - Math.min(...all);
    t.diagnostic(`${label}: perplexity ${mean(label).toFixed(4)}, spread ${spread.toFixed(4)}`);
  }
  for (const b of [2, 3]) assert.ok(mean(`gptq:${b}:32`) < mean(`rtn:${b}:32`));
  for (const b of [2, 3]) assert.ok(mean(`awq:${b}:32`) < mean(`rtn:${b}:32`));
});

async function compared(folder: string, seed: number) {
  const { code, out, err } = await spectune(
    folder,
    "quantize",
    join(sample, "base"),
    "--compare",
    labels.join(","),
    ...["--calibration", join(sample, "data/general.txt"), "--samples", "24", "--length", "256"],
    ...["--seed", String(seed), "--json"],
  );
  assert.equal(code, 0, err);
  const found: unknown = JSON.parse(out);
  assert.ok(isRecord(found) && Array.isArray(found["rows"]) && Array.isArray(found["matrices"]));
  const rows: readonly unknown[] = found["rows"];
  const matrices: readonly unknown[] = found["matrices"];
  return {
    rows: rows.map((row) => {
      assert.ok(isRecord(row) && isRecord(row["perplexity"]) && typeof row["label"] === "string");
      return { label: row["label"], perplexity: Number(row["perplexity"]["value"]) };
    }),
    matrices: matrices.map((matrix) => {
      assert.ok(
        isRecord(matrix) && isRecord(matrix["errors"]) && typeof matrix["kind"] === "string",
      );
      const errors = Object.entries(matrix["errors"]).map(([label, error]) => {
        assert.ok(isRecord(error));
        return [label, Number(error["output"])] as const;
      });
      return { kind: matrix["kind"], errors };
    }),
  };
}
