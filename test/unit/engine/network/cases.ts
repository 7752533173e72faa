/** @file A small network of each shape of model with a batch, for tests that compare ways to run it. */
import assert from "node:assert/strict";
import { forbidden } from "../../../../src/engine/core/causal-mask.ts";
import type { Model } from "../../../../src/engine/models/architecture.ts";
import { readModel } from "../../../../src/engine/models/registry.ts";
import type { ModelBatch } from "../../../../src/engine/network/batch.ts";
import type { TestNetwork } from "../../../support/network.ts";
import { scoredRows } from "../../../support/network.ts";
import { bert, gpt2, llama } from "../models/configs.ts";

export interface NetworkCase {
  readonly name: string;
  readonly model: Model;
  readonly batch: ModelBatch;
}

const [sequences, length] = [2, 6];
const places = Int32Array.from({ length: sequences * length }, (_, place) => place);

const tokens = {
  batch: sequences,
  length,
  ids: places.map((place) => (place * 7 + 3) % 20),
  positions: places.map((place) => place % length),
  types: places.map((place) => (place >> 1) % 2),
  ownPositions: false,
};

export const networkCases: readonly NetworkCase[] = [
  { name: "llama", ...causal({ ...llama, tie_word_embeddings: true }) },
  { name: "gpt2", ...causal(gpt2) },
  { name: "bert", ...classifier() },
];

/** Gradients of one batch by parameter, the loss among them. */
export async function gradientsOf(
  { parameters, train }: TestNetwork,
  batch: ModelBatch,
): Promise<ReadonlyMap<string, Float32Array>> {
  parameters.zeroGradients();
  const count = scoredRows(batch);
  const loss = (await train(batch, 1 / count)) / count;
  const gradients = [...parameters.all.values()].map(
    ({ name, gradient }) => [name, gradient.slice()] as const,
  );
  return new Map([["loss", Float32Array.of(loss)], ...gradients]);
}

/** Largest difference relative to the largest element of its tensor; tensors without a gradient must agree on that. */
export function largestDifference(
  made: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): number {
  assert.deepEqual([...made.keys()], [...expected.keys()]);
  let largest = 0;
  for (const [name, values] of expected) {
    const other = made.get(name);
    assert(other);
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    values.forEach((value, place) => {
      largest = Math.max(largest, Math.abs(value - (other[place] ?? NaN)) / scale);
    });
  }
  return largest;
}

function causal(config: object): { readonly model: Model; readonly batch: ModelBatch } {
  const { value: model } = readModel(config, "config.json", "causal-lm");
  assert(model);
  const rows = places.filter((place) => place % length < length - 1);
  const labels = rows.map((place) => (place % 4 === 3 ? -100 : (place * 5) % 20));
  return { model, batch: { ...tokens, rows, targets: { kind: "classes", labels } } };
}

function classifier(): { readonly model: Model; readonly batch: ModelBatch } {
  const outputs = { labels: 3, target: "classes" } as const;
  const { value: model } = readModel(bert, "config.json", "sequence-classification", outputs);
  assert(model);
  const data = Float32Array.from(places, (place) => (place >= 10 ? forbidden : 0));
  const rows = Int32Array.of(0, length);
  const targets = { kind: "classes", labels: Int32Array.of(2, 0) } as const;
  return { model, batch: { ...tokens, bias: { kind: "keys", data }, rows, targets } };
}
