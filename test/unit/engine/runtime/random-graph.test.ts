/** @file Random graphs with their gradients on ONNX Runtime's CPU against the reference. */
import { it } from "node:test";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { assertParity } from "./parity.ts";
import { randomGraph } from "./random-graph.ts";

it("graphs of several operators and their gradients are as the reference computes them", async () => {
  const backend = await createOrtBackend({ device: "cpu", threads: 2 });
  for (let seed = 0; seed < 40; seed++) {
    const { graph, data } = randomGraph(seed, 10 + seed);
    await assertParity(backend, graph, data);
  }
});
