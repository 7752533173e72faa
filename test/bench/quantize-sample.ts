/** @file GPTQ and AWQ on the sample's base at 2, 3 and 4 bits beside rounding: perplexity over three draws of calibration text, and the errors of each kind of matrix. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SampleComparison } from "../support/compared-sample.ts";
import {
  comparedSample,
  perplexityOver,
  sampleBits,
  sampleLabels,
  sampleSeeds,
  shareOfRounding,
} from "../support/compared-sample.ts";

export async function quantizeSample(): Promise<Readonly<Record<string, unknown>>> {
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-sample-"));
  try {
    // Nothing above it is asked for a folder of runs.
    mkdirSync(join(folder, ".git"));
    const draws: SampleComparison[] = [];
    for (const seed of sampleSeeds) draws.push(await comparedSample(folder, seed));
    const kinds = [...(draws[0]?.errors.keys() ?? [])];
    return {
      seeds: sampleSeeds,
      perplexity: Object.fromEntries(
        ["float", ...sampleLabels].map((label) => [label, perplexityOver(draws, label)]),
      ),
      // The largest of the draws.
      "outputs, of rounding's error": Object.fromEntries(
        ["gptq", "awq"].flatMap((name) =>
          sampleBits.map((bits) => [
            `${name}:${bits}`,
            Object.fromEntries(
              kinds.map((kind) => [
                kind,
                Math.max(...draws.map((draw) => shareOfRounding(draw, kind, name, bits))),
              ]),
            ),
          ]),
        ),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
