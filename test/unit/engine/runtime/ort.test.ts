/** @file ONNX Runtime's CPU against the float64 reference, for every operator. */
import { describe, it } from "node:test";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { buildCase } from "../op-case.ts";
import { opCases } from "../op-cases.ts";
import { assertParity } from "./parity.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 2 });

describe("ONNX Runtime on the CPU", () => {
  for (const [op, cases] of Object.entries(opCases))
    it(`computes ${op} as the reference does`, async (t) => {
      let largest = 0;
      for (const build of cases) {
        const { graph, data } = buildCase(build);
        largest = Math.max(largest, await assertParity(backend, graph, data));
      }
      t.diagnostic(`largest relative error ${largest.toExponential(1)}`);
    });
});
