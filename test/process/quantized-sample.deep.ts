/** @file GPTQ and AWQ on the sample model at 2, 3 and 4 bits against plain rounding: every kind of matrix, and perplexity over three draws of calibration text. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { SampleComparison } from "../support/compared-sample.ts";
import {
  comparedSample,
  perplexityOver,
  sampleBits,
  sampleLabels,
  sampleSeeds,
  shareOfRounding,
} from "../support/compared-sample.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

it("loses less than rounding where it should", { timeout: 3_600_000 }, async (t) => {
  const draws: SampleComparison[] = [];
  for (const seed of sampleSeeds) {
    const draw = await comparedSample(scratch(t), seed);
    draws.push(draw);
    assert.equal(draw.errors.size, 7);
    for (const kind of draw.errors.keys())
      for (const bits of sampleBits)
        for (const [name, bar] of [
          ["gptq", 0.3],
          ["awq", 1],
        ] as const) {
          const share = shareOfRounding(draw, kind, name, bits);
          assert.ok(share < bar, `${name}, ${kind}, ${bits} bits: ${share} of rounding's`);
          t.diagnostic(`seed ${seed}, ${name}, ${kind}, ${bits} bits: ${share.toFixed(3)}`);
        }
  }
  const mean = (label: string) => perplexityOver(draws, label).mean;
  for (const label of ["float", ...sampleLabels]) {
    const { spread } = perplexityOver(draws, label);
    t.diagnostic(`${label}: perplexity ${mean(label).toFixed(4)}, spread ${spread.toFixed(4)}`);
  }
  for (const b of [2, 3]) assert.ok(mean(`gptq:${b}:32`) < mean(`rtn:${b}:32`));
  for (const b of [2, 3]) assert.ok(mean(`awq:${b}:32`) < mean(`rtn:${b}:32`));
});
