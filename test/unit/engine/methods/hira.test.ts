/** @file HiRA: an update of high rank from a thin pair, which follows the weight element by element. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { scale } from "../../../../src/engine/core/ops.ts";
import { hira } from "../../../../src/engine/methods/hira.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { at } from "../../../../src/shared/errors.ts";
import type { Arrays } from "../../../conformance/engine/site-case.ts";
import {
  close,
  disturbed,
  evaluate,
  forward,
  site,
  startedSite,
} from "../../../conformance/engine/site-case.ts";

const { in: width, out } = site;
const method = hira.bind({ r: 2 });

async function disturbedSite(): Promise<Arrays> {
  return disturbed(method, (await startedSite(method, [])).data);
}

async function updateOf(data: Arrays): Promise<readonly number[]> {
  const made = await evaluate(method, data, (g, _x, base, params) => {
    return new Map([["weight", method.weight(g, base.dense(g), params, site.kind)]]);
  });
  const W = data.get("W") ?? [];
  return (made.get("weight") ?? []).map((value, i) => value - (W[i] ?? NaN));
}

describe("HiRA", () => {
  it("updates at full rank by a pair of rank 2, times a weight of full rank", async () => {
    const data = await disturbedSite();
    const update = { rows: out, columns: width, data: Float64Array.from(await updateOf(data)) };
    const { sigma } = await createLinalg(kernelBytes("linalg")).svd(update);
    assert(
      at(sigma, out - 1) > 1e-3 * at(sigma, 0),
      `the smallest singular value is ${at(sigma, out - 1)}`,
    );
  });

  it("leaves zeros of the weight as they are, and scales with the rest", async () => {
    const data = await disturbedSite();
    const W = Float32Array.from(data.get("W") ?? [], (value, i) => (i % 3 === 0 ? 0 : 2 * value));
    const before = await updateOf(data);
    const after = await updateOf(new Map([...data, ["W", W]]));
    close(after, before.map((value, i) => (i % 3 === 0 ? 0 : 2 * value)), 1e-12); // prettier-ignore
  });

  it("drops inputs of the update alone", async () => {
    const data = await disturbedSite();
    const y = async (dropout: (g: Graph, x: Value) => Value) =>
      (
        await evaluate(method, data, (g, x, base, params) => {
          const ctx = { dropout: (value: Value) => dropout(g, value), drops: true, trains: true };
          return new Map([["y", method.forward(g, x, base, params, ctx, site.kind)]]);
        })
      ).get("y");
    const plain = await evaluate(method, data, (g, x, base) => new Map([["y", base.apply(g, x)]]));
    close(await y((g, x) => scale(g, x, 0)), plain.get("y"), 0);
    close(await y((_g, x) => x), (await evaluate(method, data, forward(method))).get("y"), 1e-12);
  });
});
