/** @file The machine's rate of matrix products, the yardstick of every share. */
import assert from "node:assert/strict";
import { newGraph } from "../../../src/engine/core/graph.ts";
import { matmul } from "../../../src/engine/core/ops.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";

const [m, k, n] = [1024, 2048, 2048];

/** Median rate in FLOP/s of 20 warm 1024×2048×2048 products with that many threads; both factors are inputs. */
export async function productRate(threads: number): Promise<number> {
  const backend = await createOrtBackend({ device: "cpu", threads });
  const g = newGraph();
  const a = g.input("a", "float32", [m, k]);
  const b = g.input("b", "float32", [k, n]);
  g.output("c", matmul(g, a, b));
  const program = await backend.compile(g);
  const filled = (count: number): Float32Array =>
    new Float32Array(count).map((_, i) => Math.sin(i));
  const feeds = new Map([
    ["a", backend.upload("float32", [m, k], filled(m * k))],
    ["b", backend.upload("float32", [k, n], filled(k * n))],
  ]);
  const into = new Map([["c", backend.upload("float32", [m, n], new Float32Array(m * n))]]);
  for (let i = 0; i < 3; i++) await program.run(feeds, into);
  const seconds: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await program.run(feeds, into);
    seconds.push((performance.now() - start) / 1000);
  }
  await program.dispose();
  return (2 * m * k * n) / median(seconds);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  assert(middle !== undefined);
  return middle;
}
