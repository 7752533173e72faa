/** @file A base, what may have been trained on it, and the lab's commands called on them. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { lastLine, spectune } from "../../support/command-line.ts";
import type { Tensors } from "../../unit/engine/lab/folders.ts";
import { matrix, writeModel } from "../../unit/engine/lab/folders.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";

export const names = {
  q: "model.layers.0.self_attn.q_proj.weight",
  up: "model.layers.0.mlp.up_proj.weight",
  down: "model.layers.1.mlp.down_proj.weight",
} as const;

/** Square, tall and wide; the square one is large enough for certificates. */
export const base: Tensors = {
  [names.q]: matrix(192, 192, 1),
  [names.up]: matrix(64, 40, 2),
  [names.down]: matrix(40, 64, 3),
  "model.embed_tokens.weight": matrix(9, 4, 4),
};

/** A folder with `base/`, away from any other project. */
export async function workspace(t: TestContext): Promise<string> {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  await writeModel(join(folder, "base"), base);
  return folder;
}

/** W + scale · B A, rounded to float32. */
export function plus(
  W: Matrix<Data>,
  B: Matrix<Data>,
  A: Matrix<Data>,
  scale: number,
): Matrix<Float32Array> {
  const data = Float32Array.from(W.data, (value, i) => {
    const [row, column] = [Math.floor(i / W.columns), i % W.columns];
    let sum = 0;
    for (let k = 0; k < A.rows; k++)
      sum += (B.data[row * A.rows + k] ?? NaN) * (A.data[k * A.columns + column] ?? NaN);
    return value + scale * sum;
  });
  return { rows: W.rows, columns: W.columns, data };
}

/** The object that a command prints with --json. */
export async function asked(
  folder: string,
  ...args: readonly string[]
): Promise<Readonly<Record<string, unknown>>> {
  const outcome = await spectune(folder, ...args, "--json");
  assert.equal(outcome.code, 0, outcome.err);
  return lastLine(outcome);
}

export function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  assert(Array.isArray(value));
  return value.filter(isRecord);
}

export function numbersOf(value: unknown): readonly number[] {
  assert(Array.isArray(value));
  return value.map(Number);
}

/** A module of `names` as adapters call it. */
export function moduleOf(name: string): string {
  return `base_model.model.${name.replace(/\.weight$/, "")}`;
}
