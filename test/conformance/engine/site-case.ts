/** @file One linear site with a method on it, in float64 on the host: what tests over the catalog share. */
import assert from "node:assert/strict";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import type { Graph, Value } from "../../../src/engine/core/graph.ts";
import { newGraph } from "../../../src/engine/core/graph.ts";
import { matmul, mul, reduceSum, reshape } from "../../../src/engine/core/ops.ts";
import type { BoundMethod, LinearBase, LinearMethod } from "../../../src/engine/methods/define.ts";
import type { Start, StartContext, Subtracted } from "../../../src/engine/methods/start.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { createReferenceBackend } from "../../../src/engine/runtime/reference.ts";
import { randomNumbers } from "../../../src/engine/session/draw.ts";
import type { Shape } from "../../../src/shared/dtypes.ts";
import { elementCount } from "../../../src/shared/dtypes.ts";
import { at, invariant } from "../../../src/shared/errors.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import { generator } from "../../unit/engine/op-case.ts";

export const site = { in: 24, out: 20, kind: "q_proj", most: { in: 24, out: 20 } };
export const rows = 4;
const backend = createReferenceBackend();
const linalg = createLinalg(kernelBytes("linalg"));
const random = randomNumbers(7);
const steps = 10;

export type Arrays = ReadonlyMap<string, Float32Array | Int32Array>;

export type Build = (
  g: Graph,
  x: Value,
  base: LinearBase,
  params: ReadonlyMap<string, Value>,
) => ReadonlyMap<string, Value>;

/**
 * Runs what `build` makes of x, W and the method's tensors. What `held` has stands in place of values through which
 * no gradient flows, in their order.
 */
export async function evaluate(
  method: BoundMethod,
  data: Arrays,
  build: Build,
  held?: readonly (readonly number[])[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const plain = newGraph();
  let detached = 0;
  const g: Graph =
    held === undefined
      ? plain
      : {
          ...plain,
          emit(op, inputs, attributes, outputs) {
            if (op !== "Detach") return plain.emit(op, inputs, attributes, outputs);
            return [plain.input(`held.${detached++}`, "float32", at(outputs, 0).shape)];
          },
        };
  const params = new Map(
    [...method.params(site)].map(([name, { shape, dtype }]) => [
      name,
      g.input(name, dtype ?? "float32", shape),
    ]),
  );
  const W = g.input("W", "float32", [site.out, site.in]);
  const outputs = build(g, g.input("x", "float32", [rows, site.in]), baseOf(W), params);
  for (const [name, value] of outputs) g.output(name, value);
  const program = await backend.compile(g);
  const shapes = new Map(g.inputs.map(({ name, value }) => [name, value.shape]));
  const feeds = new Map(
    program.inputs.map((name) => {
      const place = Number(/^held\.(\d+)$/u.exec(name)?.[1] ?? NaN);
      const values =
        held && place >= 0 ? Float32Array.from(at(held, place)) : (data.get(name) ?? noValues);
      const type = values instanceof Int32Array ? "int32" : "float32";
      return [name, backend.upload(type, shapes.get(name) ?? [], values)];
    }),
  );
  const results = new Map<string, readonly number[]>();
  for (const [name, tensor] of await program.run(feeds))
    results.set(name, Array.from(await backend.download(tensor), Number));
  return results;
}

const noValues = new Float32Array(0);

/** Values of what stands behind Detach nodes, in their order. */
export async function detachedValues(
  method: BoundMethod,
  data: Arrays,
  build: Build,
): Promise<readonly (readonly number[])[]> {
  const found: Value[] = [];
  const made = await evaluate(method, data, (g, x, base, params) => {
    const watching: Graph = {
      ...g,
      emit(op, inputs, attributes, outputs) {
        const values = g.emit(op, inputs, attributes, outputs);
        if (op === "Detach") found.push(at(values, 0));
        return values;
      },
    };
    const outputs = build(watching, x, base, params);
    return new Map([...outputs, ...found.map((value, index) => [`held.${index}`, value] as const)]);
  });
  return found.map((_, index) => made.get(`held.${index}`) ?? []);
}

function baseOf(W: Value): LinearBase {
  return {
    ...site,
    dense: () => W,
    apply: (g, x) => matmul(g, x, W, { transB: true }),
    applyT: (g, y) => matmul(g, y, W),
    rowNorms2: (g) => reshape(g, reduceSum(g, mul(g, W, W), [1]), [site.out]),
  };
}

export const still = { dropout: (x: Value) => x, drops: false, trains: false };

export function forward(method: BoundMethod): Build {
  return (g, x, base, params) =>
    new Map([["y", method.forward(g, x, base, params, still, site.kind)]]);
}

function filled(next: () => number, shape: Shape): Float32Array {
  return Float32Array.from({ length: elementCount(shape) }, () => 2 * next() - 1);
}

export interface Started {
  /** x, the weight before, the weight that is held, and the method's tensors. */
  readonly data: Arrays;
  /** The model's own weight. */
  readonly original: Float32Array;
}

/** x, W and the method's tensors as a run starts them. */
export async function startedSite(method: BoundMethod, starts: readonly Start[]): Promise<Started> {
  const next = generator(7);
  const original = filled(next, [site.out, site.in]);
  const data = new Map<string, Float32Array | Int32Array>([
    ["x", filled(next, [rows, site.in])],
    ["W", original],
  ]);
  for (const [name, { shape, init, dtype }] of method.params(site)) {
    const values = new Float32Array(elementCount(shape));
    if (dtype === undefined) random.start(name, shape, init, values);
    data.set(name, dtype === undefined ? values : Int32Array.from(values));
  }
  for (const start of starts) {
    const own = { ...site, module: "a" };
    const ctx = context(method, data);
    const allocated = (await start.allocate?.([{ site: own, ctx }]))?.get("a");
    const { tensors, subtract } = await start.run(own, { ...ctx, kept: allocated?.kept });
    for (const [name, values] of tensors) {
      assert.equal(values.length, data.get(name)?.length, name);
      data.set(name, values);
    }
    if (subtract) data.set("W", less(original, subtract));
  }
  return { data, original };
}

/** W − scale B A. */
export function less(W: Float32Array, { A, B, scale }: Subtracted): Float32Array {
  const rank = A.length / site.in;
  return W.map((value, place) => {
    const [row, column] = [Math.floor(place / site.in), place % site.in];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += at(B, row * rank + k) * at(A, k * site.in + column);
    return value - scale * sum;
  });
}

function context(method: BoundMethod, data: Arrays): StartContext {
  const next = generator(11);
  const floats = (name: string): Float32Array => {
    const values = data.get(name);
    invariant(values instanceof Float32Array, `${name} holds no numbers`);
    return values;
  };
  const original = floats("W");
  return {
    linalg,
    ...pairFacts(method),
    run: { steps, warmupSteps: 1, learningRate: 1e-3 },
    weight: () => Promise.resolve(original.slice()),
    inputs() {
      const x = filled(next, [64, site.in]);
      const secondMoment = new Float64Array(site.in * site.in);
      const sum = new Float64Array(site.in);
      for (let row = 0; row < 64; row++)
        for (let i = 0; i < site.in; i++) {
          sum[i] = at(sum, i) + at(x, row * site.in + i);
          for (let j = 0; j < site.in; j++) {
            const place = i * site.in + j;
            secondMoment[place] =
              at(secondMoment, place) + at(x, row * site.in + i) * at(x, row * site.in + j);
          }
        }
      return Promise.resolve({ rows: 64, batches: 1, secondMoment, sum });
    },
    gradient: () => Promise.resolve(filled(next, [site.out, site.in])),
    fisher: () => Promise.resolve(filled(next, [site.out, site.in]).map((value) => value ** 2)),
    kept: undefined,
    random: (name) => random.ofStart("a", name),
    value: floats,
  };
}

/** Rank and scale of a method's pair. */
export function pairFacts(method: BoundMethod): { readonly rank: number; readonly scale: number } {
  if (!method.pair) return { rank: 0, scale: 1 };
  const g = newGraph();
  const inputs = [...method.params(site)].map(
    ([name, { shape, dtype }]) => [name, g.input(name, dtype ?? "float32", shape)] as const,
  );
  const { A, scale } = method.pair(g, new Map(inputs), site);
  return { rank: at(A.shape, 0), scale };
}

/** The same data, all trained tensors at random: nothing is zero by chance. */
export function disturbed(method: BoundMethod, data: Arrays): Arrays {
  const next = generator(13);
  const moved = new Map(data);
  for (const [name, { shape, trains, dtype }] of method.params(site))
    if (trains !== false && dtype === undefined) moved.set(name, filled(next, shape));
  return moved;
}

/** The defaults, then each field at small values that differ from them. */
export function configurations(method: LinearMethod): readonly BoundMethod[] {
  const changes: Readonly<Record<string, unknown>>[] = [{}, { r: 2, alpha: 3 }];
  for (const [name, { shape, default: preset }] of Object.entries(method.config)) {
    if (shape.kind === "int" && preset === null) changes.push({ [name]: 2 });
    if (shape.kind === "bool") for (const value of [true, false]) changes.push({ [name]: value });
    if (shape.kind === "oneOf")
      for (const value of shape.literals.keys()) changes.push({ [name]: value });
  }
  return changes.map((change) => {
    const known = Object.fromEntries(
      Object.entries(change).filter(([field]) => Object.hasOwn(method.config, field)),
    );
    const { value, findings } = parseFields(method.config, known);
    assert.deepEqual(findings, []);
    return method.bind(value);
  });
}

export function close(
  actual: readonly number[] | undefined,
  expected: readonly number[] | undefined,
  tolerance: number,
): void {
  assert(actual && expected && actual.length === expected.length);
  actual.forEach((value, index) => {
    const wanted = expected[index] ?? NaN;
    assert(
      Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted)),
      `${value} is not ${wanted} at ${index}`,
    );
  });
}
