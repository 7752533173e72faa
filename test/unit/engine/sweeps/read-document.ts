/** @file A sweep's document from text, for tests. */
import assert from "node:assert/strict";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";
import type { Normalised } from "../../../../src/shared/experiment/normalise.ts";
import { smallCatalog } from "../../shared/experiment/small-catalog.ts";

/** An experiment of ten steps, with `sweep` as given in YAML's flow style, or none. */
export function documentWith(sweep: string | undefined): string {
  return `version: 1
model: ./model
data: { train: ./train.jsonl, eval: ./eval.jsonl }
method: { type: lora, r: 8, alpha: 2r }
train: { max_steps: 10, learning_rate: 1.0e-3 }
${sweep === undefined ? "" : `sweep: ${sweep}\n`}`;
}

export function readSweep(sweep: string | undefined): Normalised {
  const normalised = readExperiment({
    file: "a.peft.yaml",
    text: documentWith(sweep),
    catalog: smallCatalog,
  });
  assert.deepEqual(
    normalised.findings.filter(({ severity }) => severity === "error"),
    [],
  );
  return normalised;
}
