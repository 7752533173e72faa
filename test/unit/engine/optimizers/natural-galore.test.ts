/** @file Natural GaLore's gradient is the dense inverse's, keeps the last gradients alone, and comes to GaLore's where damped. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import { matmul } from "../../../../src/engine/core/ops.ts";
import { galore } from "../../../../src/engine/optimizers/galore.ts";
import {
  naturalGalore,
  naturalGradient,
} from "../../../../src/engine/optimizers/natural-galore.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import type { Shape } from "../../../../src/shared/dtypes.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import { close } from "../../../conformance/engine/site-case.ts";
import { generator } from "../op-case.ts";

const backend = createReferenceBackend();

function numbers(count: number, seed: number): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: count }, () => 2 * next() - 1);
}

/** (damping I + Hᵀ H)⁻¹ h for the last row of H [s, k], within a graph. */
async function inGraph(H: Float32Array, s: number, damping: number) {
  const g = newGraph();
  const rows = g.input("H", "float32", [s, H.length / s]);
  const K = matmul(g, rows, rows, { transB: true });
  const now = g.input("now", "bool", [s, 1]);
  g.output("natural", naturalGradient(g, rows, K, now, damping));
  const program = await backend.compile(g);
  const isLast = Uint8Array.from({ length: s }, (_, place) => (place === s - 1 ? 1 : 0));
  const feeds = new Map([
    ["H", backend.upload("float32", [s, H.length / s], H)],
    ["now", backend.upload("bool", [s, 1], isLast)],
  ]);
  const made = (await program.run(feeds)).get("natural");
  assert(made);
  return Array.from(await backend.download(made), Number);
}

/** The same by the dense matrix [k, k]. */
async function dense(H: Float32Array, s: number, damping: number) {
  const k = H.length / s;
  const F = Float64Array.from({ length: k * k }, (_, place) => {
    const [i, j] = [Math.floor(place / k), place % k];
    let sum = i === j ? damping : 0;
    for (let t = 0; t < s; t++) sum += at(H, t * k + i) * at(H, t * k + j);
    return sum;
  });
  const { U, sigma, Vt } = await createLinalg(kernelBytes("linalg")).svd({
    rows: k,
    columns: k,
    data: F,
  });
  const h = H.subarray((s - 1) * k);
  const turned = Array.from(
    sigma,
    (value, n) => h.reduce((sum, x, i) => sum + at(U.data, i * k + n) * x, 0) / value,
  );
  return Array.from({ length: k }, (_, i) =>
    turned.reduce((sum, x, n) => sum + at(Vt.data, n * k + i) * x, 0),
  );
}

/** Three steps on one matrix [5, 4] with these gradients; what each did to the weight, and the last state. */
async function stepped(
  rule: ReturnType<typeof naturalGalore.bind>,
  gradients: readonly Float32Array[],
) {
  const tensor = { name: "w", shape: [5, 4], decays: true, kind: "linear" } as const;
  const state = new Map<string, { readonly shape: Shape; readonly data: Float32Array }>();
  for (const [name, shape] of rule.own?.(tensor) ?? [])
    state.set(name, { shape, data: new Float32Array(elementCount(shape)) });
  const linalg = createLinalg(kernelBytes("linalg"));
  let weight = new Float32Array(20);
  const moved: number[][] = [];
  for (const [index, gradient] of gradients.entries()) {
    const own = new Map([...state].map(([name, { data }]) => [name, data]));
    if (index === 0) await rule.host?.run({ tensor, gradient, state: own, t: 1, linalg });
    const g = newGraph();
    const input = (name: string, shape: Shape) => g.input(name, "float32", shape);
    const steps = rule.numbers({ t: index + 1, lr: 0.1, decays: true });
    const { weight: next, state: after } = rule.step(
      g,
      {
        weight: input("weight", [5, 4]),
        gradient: input("gradient", [5, 4]),
        state: Object.fromEntries(
          [...state].map(([name, { shape }]) => [name, input(name, shape)]),
        ),
        numbers: Object.fromEntries(
          Object.keys(steps).map((name) => [name, input(`n.${name}`, [])]),
        ),
      },
      tensor,
    );
    g.output("weight", next);
    for (const [name, value] of Object.entries(after)) g.output(name, value);
    const program = await backend.compile(g);
    const feeds = new Map([
      ["weight", backend.upload("float32", [5, 4], weight)],
      ["gradient", backend.upload("float32", [5, 4], gradient)],
      ...[...state].map(
        ([name, { shape, data }]) => [name, backend.upload("float32", shape, data)] as const,
      ),
      ...Object.entries(steps).map(
        ([name, value]) =>
          [`n.${name}`, backend.upload("float32", [], Float32Array.of(value))] as const,
      ),
    ]);
    for (const [name, made] of await program.run(
      new Map([...feeds].filter(([name]) => program.inputs.includes(name))),
    )) {
      const data = Float32Array.from(await backend.download(made), Number);
      if (name === "weight") {
        moved.push(Array.from(data, (value, i) => value - at(weight, i)));
        weight = data;
      } else state.set(name, { shape: state.get(name)?.shape ?? [], data });
    }
  }
  return { moved, state };
}

const fields = { rank: 3, scale: 1, eps: 1e-8 };
const natural = (more: object) =>
  naturalGalore.bind(parseFields(naturalGalore.config, { ...fields, ...more }).value);

describe("Natural GaLore", () => {
  for (const [s, k, damping] of [
    [1, 7, 1e-3],
    [4, 30, 1e-3],
    [20, 12, 1e-3],
    [20, 30, 10],
  ] as const)
    // prettier-ignore
    it(`inverts as the dense matrix does with ${s} gradients of ${k} numbers at ${damping}`, async () => {
      const H = numbers(s * k, 3);
      const expected = await dense(H, s, damping);
      const most = Math.max(...expected.map(Math.abs));
      const found = await inGraph(H, s, damping);
      close(found.map((x) => x / most), expected.map((x) => x / most), 1e-6); // prettier-ignore
    });

  it("comes to h / damping where damping is large", async () => {
    const H = numbers(60, 5);
    const found = await inGraph(H, 3, 1e7);
    close(found.map((x) => x * 1e7), [...H.subarray(40)], 1e-5); // prettier-ignore
  });

  it("damps by 1e-5 of the trace at least", async () => {
    // Rows that hardly differ: what they differ in is what damping decides on.
    const [same, own] = [numbers(30, 7), numbers(90, 8)];
    const H = own.map((x, i) => at(same, i % 30) + 1e-3 * x);
    const trace = H.reduce((sum, x) => sum + x * x, 0);
    const expected = await dense(H, 3, 1e-5 * trace);
    close(await inGraph(H, 3, 1e-9), expected, 1e-4);
    const less = await dense(H, 3, 1e-9);
    assert(less.some((x, i) => Math.abs(x - at(expected, i)) > 1));
  });

  it("steps as GaLore where damping is large, and otherwise elsewhere", async () => {
    const gradients = [1, 2, 3].map((seed) => numbers(20, seed));
    const plain = await stepped(galore.bind(parseFields(galore.config, fields).value), gradients);
    const damped = await stepped(natural({ damping: 1e6, eps: 1e-14 }), gradients);
    damped.moved.forEach((row, t) => {
      close(row, plain.moved[t], 1e-4);
    });
    const free = await stepped(natural({}), gradients);
    assert(
      free.moved.some((row, t) =>
        row.some((x, i) => Math.abs(x - (plain.moved[t]?.[i] ?? 0)) > 1e-2),
      ),
    );
  });

  it("keeps as many gradients as asked for, the oldest given up", async () => {
    const gradients = [1, 2, 3].map((seed) => numbers(20, seed));
    const { state } = await stepped(natural({ history: 2 }), gradients);
    const [H, P] = [state.get("H"), state.get("P")];
    assert(H && P);
    assert.deepEqual(H.shape, [2, 15]);
    // Of a tall matrix the rows are seen through P [3, 4]; the third gradient stands where the first did.
    const low = (gradient: Float32Array) =>
      Array.from({ length: 15 }, (_, place) => {
        const [row, r] = [Math.floor(place / 3), place % 3];
        return [0, 1, 2, 3].reduce(
          (sum, i) => sum + at(gradient, row * 4 + i) * at(P.data, r * 4 + i),
          0,
        );
      });
    const rows = [at(gradients, 2), at(gradients, 1)].map(low);
    close([...H.data], rows.flat(), 1e-6);
    const product = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, x, i) => sum + x * at(b, i), 0);
    close([...(state.get("K")?.data ?? [])], rows.flatMap((a) => rows.map((b) => product(a, b))), 1e-5); // prettier-ignore
  });
});
