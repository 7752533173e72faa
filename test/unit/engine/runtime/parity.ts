/** @file Compares a backend's outputs with the float64 reference. */
import assert from "node:assert/strict";
import type { Graph } from "../../../../src/engine/core/graph.ts";
import type { Backend, HostData, Tensors } from "../../../../src/engine/runtime/backend.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import type { DType } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";

const reference = createReferenceBackend();

/**
 * Largest error, relative to the largest element (at least 1). float32: 24 bits of mantissa make 6e-8 an
 * operation, of which the widest sums here have some hundred; the library's exp, erf and tanh are
 * polynomials right to about 4e-7. Integers and truth values are exact.
 */
export const tolerances: { readonly [T in DType]?: number } = {
  float32: 2e-6,
  int32: 0,
  uint8: 0,
  bool: 0,
};

export type Data = ReadonlyMap<string, HostData>;

/** Uploads data under the types that the graph declares. */
export function uploadAll(backend: Backend, graph: Graph, data: Data): Tensors {
  return new Map(
    graph.inputs.map(({ name, value }) => {
      const fed = data.get(name);
      assert.ok(fed, `no data for ${name}`);
      return [name, backend.upload(value.dtype, value.shape, fed)];
    }),
  );
}

/** Every output of a graph, run once. */
export async function runOnce(
  backend: Backend,
  graph: Graph,
  data: Data,
): Promise<ReadonlyMap<string, HostData>> {
  const program = await backend.compile(graph);
  const made = await program.run(uploadAll(backend, graph, data));
  const outputs = new Map<string, HostData>();
  for (const [name, tensor] of made) outputs.set(name, await backend.download(tensor));
  await program.dispose();
  return outputs;
}

/** Runs a graph on a backend and in the reference, and compares all outputs; the largest relative error. */
export async function assertParity(
  backend: Backend,
  graph: Graph,
  data: Data,
  allowed = tolerances,
): Promise<number> {
  const made = await runOnce(backend, graph, data);
  const expected = await runOnce(reference, graph, data);
  let largest = 0;
  for (const [name, { dtype }] of graph.outputs) {
    const error = relativeError(valuesOf(made, name), valuesOf(expected, name));
    assert.ok(error <= (allowed[dtype] ?? 0), `${name} is off by ${error}`);
    largest = Math.max(largest, error);
  }
  return largest;
}

/** Largest difference relative to the largest expected element, at least 1. */
export function relativeError(made: HostData, expected: HostData): number {
  const [left, right] = [Float64Array.from(made, Number), Float64Array.from(expected, Number)];
  assert.equal(left.length, right.length);
  const scale = right.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1);
  return right.reduce((largest, x, index) => {
    const error = Math.abs(at(left, index) - x) / scale;
    return Number.isNaN(error) ? Infinity : Math.max(largest, error);
  }, 0);
}

function valuesOf(values: ReadonlyMap<string, HostData>, name: string): HostData {
  const value = values.get(name);
  assert.ok(value, `no output ${name}`);
  return value;
}
