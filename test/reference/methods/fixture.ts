/** @file Ten steps of a method as PyTorch made them: the form of `fixtures/*.json`. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";
import type { Fill } from "../deterministic.ts";

/** A tensor by the formula, or of these whole numbers. */
export type StartTensor = Fill | { readonly name: string; readonly values: readonly number[] };

export interface MethodFixture {
  readonly name: string;
  /** Whose numbers these are: peft's, PyTorch's own, or those of formulas written apart in PyTorch. */
  readonly source: "peft" | "torch" | "formulas";
  readonly versions: Readonly<Record<string, string>>;
  /** The row that it is evidence of, where the experiment does not say so: {@link subjectOf}. */
  readonly subject?: string;
  /** Parts of an experiment file: `method`, and `train` where it differs. */
  readonly experiment: Readonly<Record<string, unknown>>;
  readonly learningRate: number;
  /** What starts by the formula, `module#parameter`, or `#parameter` where all sites share it. */
  readonly tensors: readonly StartTensor[];
  readonly losses: readonly number[];
  /** After the last step, of the last token of each sequence of the first batch. */
  readonly logits: readonly (readonly number[])[];
}

const folder = join(import.meta.dirname, "fixtures");

export function fixtureNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .toSorted();
}

export function loadMethodFixture(name: string): MethodFixture {
  const value: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  assert(isMethodFixture(value), `${name}.json has another form`);
  return value;
}

function isMethodFixture(value: unknown): value is MethodFixture {
  return (
    isRecord(value) &&
    typeof value["name"] === "string" &&
    ["peft", "torch", "formulas"].some((source) => source === value["source"]) &&
    ["string", "undefined"].includes(typeof value["subject"]) &&
    isRecord(value["versions"]) &&
    isRecord(value["experiment"]) &&
    typeof value["learningRate"] === "number" &&
    isListOf(value["tensors"], (row) => isRecord(row) && typeof row["name"] === "string") &&
    isListOf(value["losses"], (loss) => typeof loss === "number" && Number.isFinite(loss)) &&
    isListOf(value["logits"], Array.isArray)
  );
}

function isListOf(value: unknown, holds: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}
