/** @file The same bytes in every run, with one thread and with two. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import { matmulNF4 } from "../../../../src/engine/core/packed.ts";
import type { Backend, Program } from "../../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import type { CaseData, OpCase } from "../op-case.ts";
import { buildCase } from "../op-case.ts";
import { loraGraph } from "./lora-graph.ts";
import { uploadAll } from "./parity.ts";

const [one, two] = [
  await createOrtBackend({ device: "cpu", threads: 1 }),
  await createOrtBackend({ device: "cpu", threads: 2 }),
];

/** Large enough that ONNX Runtime gives each to several threads. */
const kinds: Readonly<Record<string, OpCase>> = {
  "a product of few columns": ({ g, float }) => [
    o.matmul(g, float([512, 300]), float([8, 300]), { transB: true }),
  ],
  "a gradient of few rows": ({ g, float }) => [
    o.matmul(g, float([512, 8]), float([512, 300]), { transA: true }),
  ],
  "a wide product": ({ g, float }) => [o.matmul(g, float([128, 256]), float([256, 515]))],
  "a product added to a sum": ({ g, float }) => [
    o.add(g, float([200, 300]), o.matmul(g, float([200, 64]), float([64, 300]))),
  ],
  "products of heads": ({ g, float }) => [
    o.matmul(g, float([2, 6, 128, 32]), float([2, 1, 128, 32]), { transB: true }),
  ],
  "causal attention": ({ g, float }) => [
    o.causalAttention(
      g,
      float([2, 128, 6, 32]),
      float([2, 128, 2, 32]),
      float([2, 128, 2, 32]),
      0.2,
    ),
  ],
  "an NF4 product": ({ g, float, frozen, bytes }) => {
    const weight = {
      in: 256,
      out: 512,
      blockSize: 64,
      decoded: o.expand(g, o.scalar(g, 0), [512, 256]),
    };
    return [matmulNF4(g, float([64, 256]), bytes([65536]), frozen([2048], 0.1, 1), weight)];
  },
  "sums over rows": ({ g, float }) => [o.reduceSum(g, float([2000, 100]), [0])],
  "sums over columns": ({ g, float }) => [o.reduceSum(g, float([300, 1000]), [1])],
  "the sum of squares": ({ g, float }) => [o.sumOfSquares(g, float([700, 300]))],
  norms: ({ g, float }) => {
    const x = float([300, 576]);
    return [
      o.rmsNorm(g, x, float([576]), 1e-5),
      o.layerNorm(g, x, float([576]), float([576]), 1e-5),
    ];
  },
  "a loss over a vocabulary": ({ g, float, ints }) => {
    const labels = ints(
      [128],
      Array.from({ length: 128 }, (_, row) => row - 5),
    );
    const { loss, logProbabilities } = o.crossEntropy(g, float([128, 3000]), labels);
    return [loss, logProbabilities];
  },
  "rows summed into a table": ({ g, float, ints }) => {
    const rows = Array.from({ length: 2000 }, (_, row) => (row * row) % 64);
    return [o.scatterAdd(g, float([64, 96]), ints([2000], rows), float([2000, 96]))];
  },
  activations: ({ g, float }) => {
    const x = float([200, 700]);
    return [o.silu(g, x), o.gelu(g, x, "none"), o.gelu(g, x, "tanh"), o.exp(g, x), o.softmax(g, x)];
  },
  "an optimizer's step": ({ g, float }) =>
    optimizerStep(g, float([300, 400]), float([300, 400]), float([300, 400], 0, 1)),
};

describe("ONNX Runtime on the CPU gives one result, with one thread and with two", () => {
  for (const [title, build] of Object.entries(kinds))
    it(`for ${title}`, async () => {
      const { graph, data } = buildCase(build);
      await assertOneResult(graph, data);
    });

  it("for the loss and the gradients of a block with LoRA", async () => {
    const sizes = { batch: 2, length: 96, heads: 6, groups: 2, dim: 32, rank: 8, vocabulary: 700 };
    const { graph, data } = loraGraph(sizes);
    await assertOneResult(graph, data);
  });
});

/** Twenty runs in turn on both backends. */
async function assertOneResult(graph: Graph, data: ReadonlyMap<string, CaseData>): Promise<void> {
  const runners = [await runner(one, graph, data), await runner(two, graph, data)];
  let expected: ReadonlyMap<string, Buffer> | undefined;
  for (let round = 0; round < 20; round++)
    for (const run of runners) {
      const made = await run();
      expected ??= made;
      for (const [name, bytes] of made)
        assert.ok(bytes.equals(expected.get(name) ?? Buffer.alloc(0)), `${name} in round ${round}`);
    }
}

async function runner(
  backend: Backend,
  graph: Graph,
  data: ReadonlyMap<string, CaseData>,
): Promise<() => Promise<ReadonlyMap<string, Buffer>>> {
  const program: Program = await backend.compile(graph);
  const feeds = uploadAll(backend, graph, data);
  return async () => {
    const bytes = new Map<string, Buffer>();
    for (const [name, tensor] of await program.run(feeds)) {
      const { buffer, byteOffset, byteLength } = await backend.download(tensor);
      bytes.set(name, Buffer.from(buffer, byteOffset, byteLength));
    }
    return bytes;
  };
}

function optimizerStep(g: Graph, w: Value, m: Value, v: Value): readonly Value[] {
  const nextM = o.add(g, o.scale(g, m, 0.9), o.scale(g, w, 0.1));
  const nextV = o.add(g, o.scale(g, v, 0.99), o.scale(g, o.mul(g, w, w), 0.01));
  const step = o.div(g, nextM, o.add(g, o.sqrt(g, nextV), o.scalar(g, 1e-8)));
  return [o.sub(g, w, o.scale(g, step, 1e-3)), nextM, nextV];
}
