/** @file Reading experiments in tests: a minimal file around what a test is about. */
import assert from "node:assert/strict";
import type { Experiment } from "../../../../src/shared/experiment/fields/experiment-fields.ts";
import type { ExperimentFinding } from "../../../../src/shared/experiment/findings.ts";
import type { Normalised } from "../../../../src/shared/experiment/normalise.ts";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";
import { smallCatalog } from "./small-catalog.ts";

const needed = {
  version: "version: 1",
  model: "model: ./model",
  data: "data: { train: ./train.jsonl }",
  method: "method: lora",
} as const;

/** `text` with the required sections that it does not have itself. */
export function complete(text: string): string {
  const missing = Object.entries(needed)
    .filter(([key]) => !new RegExp(`^${key}:`, "m").test(text))
    .map(([, line]) => line);
  return [...missing, text, ""].join("\n");
}

export function read(text: string, overrides: readonly string[] = []): Normalised {
  return readExperiment({ file: "x.peft.yaml", text, catalog: smallCatalog, overrides });
}

/** The experiment of a file that has no errors. */
export function experimentOf(text: string, overrides: readonly string[] = []): Experiment {
  const { experiment, findings } = read(complete(text), overrides);
  assert.deepEqual(told(findings.filter(({ severity }) => severity === "error")), []);
  assert.ok(experiment !== undefined);
  return experiment;
}

/** `code field` of each finding. */
export function told(findings: readonly ExperimentFinding[]): readonly string[] {
  return findings.map(({ code, place }) => `${code} ${place.field ?? ""}`.trim());
}
