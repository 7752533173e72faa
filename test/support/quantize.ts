/** @file `spectune quantize` on the workspace of tests, and what is asked of the folders that it makes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../src/shared/wire.ts";
import type { Outcome } from "./command-line.ts";
import { lastLine, spectune } from "./command-line.ts";

/** Options that calibrate on the workspace's rows. */
export const calibrated = ["--calibration", "train.jsonl", "--samples", "8", "--length", "32"] as const; // prettier-ignore

/** Options that measure on them. */
export const measured = ["--data", "eval.jsonl", "--set", "data.max_length=64", "--json"] as const;

/** Makes `out` of `model`. */
export async function quantizedTo(
  folder: string,
  out: string,
  type: string,
  ...args: readonly string[]
): Promise<void> {
  const outcome = await spectune(
    folder,
    ...["quantize", "model", "--type", type, "--out", out, ...args],
  );
  assert.equal(outcome.code, 0, outcome.err);
}

/** Makes `q`. */
export function quantized(folder: string, type: string, ...args: readonly string[]): Promise<void> {
  return quantizedTo(folder, "q", type, ...args);
}

/** What `eval` told. */
export function lossOf(outcome: Outcome): number {
  assert.equal(outcome.code, 0, outcome.err);
  const metrics = lastLine(outcome)["metrics"];
  assert.ok(isRecord(metrics) && typeof metrics["loss"] === "number", outcome.out);
  return metrics["loss"];
}

export function weightsIn(folder: string, model: string): Buffer {
  return readFileSync(join(folder, model, "model.safetensors"));
}
