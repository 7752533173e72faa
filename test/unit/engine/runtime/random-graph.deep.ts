/** @file Many random graphs with their gradients on ONNX Runtime's CPU against the reference. */
import { it } from "node:test";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { assertParity } from "./parity.ts";
import { randomGraph } from "./random-graph.ts";

/** Chains pass rounding errors on, and enlarge them where a quotient or a norm is steep. */
const allowed = { float32: 1e-5 };

it("a thousand graphs and their gradients are as the reference computes them", async () => {
  const backend = await createOrtBackend({ device: "cpu", threads: 2 });
  for (let seed = 40; seed < 1040; seed++) {
    const { graph, data } = randomGraph(seed, 10 + (seed % 50));
    await assertParity(backend, graph, data, allowed);
  }
});
