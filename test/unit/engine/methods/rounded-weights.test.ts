/** @file Methods whose weights are whole numbers times scales: PEQA, L4Q and BitNet b1.58. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import type { Value } from "../../../../src/engine/core/graph.ts";
import { mul, reduceSum, reshape, scalar } from "../../../../src/engine/core/ops.ts";
import { bitnet } from "../../../../src/engine/methods/bitnet.ts";
import type { BoundMethod } from "../../../../src/engine/methods/define.ts";
import { l4q } from "../../../../src/engine/methods/l4q.ts";
import { peqa } from "../../../../src/engine/methods/peqa.ts";
import { ownStarts } from "../../../../src/engine/methods/pair-start.ts";
import { at } from "../../../../src/shared/errors.ts";
import type { Arrays } from "../../../conformance/engine/site-case.ts";
import { evaluate, site, startedSite } from "../../../conformance/engine/site-case.ts";

const { in: width, out } = site;

/** W', and the gradients of Σ C ∘ W' with C = W by all that trains. */
async function looked(method: BoundMethod, data: Arrays) {
  return evaluate(method, data, (g, _x, base, params) => {
    const made = method.weight(g, base.dense(g), params, site.kind);
    const loss = reshape(g, reduceSum(g, mul(g, made, base.dense(g)), [0, 1]), []);
    const names = [...params.keys()];
    const wrt = names.flatMap((name) => params.get(name) ?? []);
    const found = differentiate(g, new Map([[loss, scalar(g, 1)]]), wrt);
    const results = new Map<string, Value>([["weight", made]]);
    for (const [i, name] of names.entries()) results.set(name, found.get(at(wrt, i)) ?? made);
    return results;
  });
}

describe("PEQA", () => {
  const method = peqa.bind({ group: 10 });
  it("scales each group, the short one too, and counts one number for each", async () => {
    assert.deepEqual(method.params(site).get("t")?.shape, [out, 3]);
    assert.deepEqual(peqa.bind({ group: 0 }).params(site).get("t")?.shape, [out, 1]);
    const { data } = await startedSite(method, ownStarts(method));
    const W = data.get("W") ?? [];
    assert.deepEqual((await looked(method, data)).get("weight"), [...W]);
    const t = Float32Array.from({ length: out * 3 }, (_, i) => 1 + (i % 5) / 8);
    const found = await looked(method, new Map([...data, ["t", t]]));
    const factor = (i: number) => at(t, Math.floor(i / width) * 3 + Math.floor((i % width) / 10));
    for (const [i, value] of (found.get("weight") ?? []).entries())
      assert.ok(Math.abs(value - (W[i] ?? NaN) * factor(i)) < 1e-6);
  });
  it("has the gradient Σ G ∘ W over a group", async () => {
    const { data } = await startedSite(method, ownStarts(method));
    const found = (await looked(method, data)).get("t") ?? [];
    const W = data.get("W") ?? [];
    const sums = new Float64Array(out * 3);
    for (const [i, w] of W.entries()) {
      const place = Math.floor(i / width) * 3 + Math.floor((i % width) / 10);
      sums[place] = at(sums, place) + w * w;
    }
    for (const [i, sum] of sums.entries()) assert.ok(Math.abs(sum - at(found, i)) < 1e-5);
  });
});

describe("L4Q", () => {
  const config = { r: 3, alpha: 6, bits: 3, group: 8 };
  const method = l4q.bind(config);
  const scaleOf = (values: ArrayLike<number>, i: number) =>
    values[Math.floor(i / width) * 3 + Math.floor((i % width) / 8)] ?? NaN;

  it("starts as the weights rounded to the nearest level", async () => {
    const { data } = await startedSite(method, ownStarts(method));
    const made = (await looked(method, data)).get("weight") ?? [];
    const W = data.get("W") ?? [];
    const s = data.get("s") ?? [];
    for (const [i, w] of W.entries())
      assert.ok(Math.abs(w - at(made, i)) <= scaleOf(s, i) * (0.5 + 1e-5), `weight ${i}`);
  });
  it("holds whole numbers, scales and offsets whatever the pair has learned", async () => {
    const { data } = await startedSite(method, ownStarts(method));
    const B = Float32Array.from({ length: out * 3 }, (_, i) => ((i % 7) - 3) / 5);
    const made = (await looked(method, new Map([...data, ["B", B]]))).get("weight") ?? [];
    const [s, b] = [data.get("s") ?? [], data.get("b") ?? []];
    const levels = made.map((value, i) => (value - scaleOf(b, i)) / scaleOf(s, i));
    for (const level of levels) {
      assert.ok(Math.abs(level - Math.round(level)) < 1e-4, `${level} is not whole`);
      assert.ok(level > -4.001 && level < 3.001);
    }
    assert.ok(levels.some((level) => level < -3.999) && levels.some((level) => level > 2.999));
  });
  it("passes gradients to the pair where nothing is cut", async () => {
    const { data } = await startedSite(method, ownStarts(method));
    const B = Float32Array.from({ length: out * 3 }, (_, i) => ((i % 7) - 3) / 5);
    const found = (await looked(method, new Map([...data, ["B", B]]))).get("A") ?? [];
    const W = data.get("W") ?? [];
    const [A, s, b] = [data.get("A") ?? [], data.get("s") ?? [], data.get("b") ?? []];
    for (const column of [0, 5, width - 1])
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (let row = 0; row < out; row++) {
          const i = row * width + column;
          let whole = W[i] ?? NaN;
          for (let j = 0; j < 3; j++)
            whole += 2 * at(B, row * 3 + j) * (A[j * width + column] ?? NaN);
          const level = (whole - scaleOf(b, i)) / scaleOf(s, i);
          if (level > -4 && level < 3) sum += 2 * at(B, row * 3 + k) * (W[i] ?? NaN);
        }
        assert.ok(Math.abs(sum - at(found, k * width + column)) < 1e-4);
      }
  });
});

describe("BitNet b1.58", () => {
  const method = bitnet.bind({});
  it("has three values, and gradients as if it had all", async () => {
    const { data } = await startedSite(method, ownStarts(method));
    const found = await looked(method, data);
    const W = [...(data.get("W") ?? [])];
    const mean = W.reduce((sum, w) => sum + Math.abs(w), 0) / W.length + 1e-5;
    const levels = new Set((found.get("weight") ?? []).map((value) => Math.round((1e4 * value) / mean) / 1e4)); // prettier-ignore
    assert.deepEqual(
      [...levels].map((level) => level + 0).sort((a, b) => a - b),
      [-1, 0, 1],
    );
    assert.deepEqual(found.get("L"), W);
  });
});
