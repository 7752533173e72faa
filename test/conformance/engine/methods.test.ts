/** @file Every linear method of the catalog keeps what the core relies on; none can be left out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../src/engine/autodiff/backward.ts";
import { methods } from "../../../src/engine/catalog.ts";
import type { Graph, Value } from "../../../src/engine/core/graph.ts";
import { newGraph } from "../../../src/engine/core/graph.ts";
import { add, matmul, mul, reduceSum, reshape, scalar } from "../../../src/engine/core/ops.ts";
import type {
  BoundMethod,
  LinearBase,
  LinearMethod,
  ParamSpec,
} from "../../../src/engine/methods/define.ts";
import { createReferenceBackend } from "../../../src/engine/runtime/reference.ts";
import type { Shape } from "../../../src/shared/dtypes.ts";
import { elementCount } from "../../../src/shared/dtypes.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import { generator } from "../../unit/engine/op-cases.ts";

const site = { in: 6, out: 5 };
const rows = 4;
const backend = createReferenceBackend();

type Arrays = ReadonlyMap<string, Float32Array>;

/** Runs what `build` makes of x, W and the method's tensors, in float64. */
async function evaluate(
  method: BoundMethod,
  data: Arrays,
  build: (
    g: Graph,
    x: Value,
    W: Value,
    params: ReadonlyMap<string, Value>,
  ) => ReadonlyMap<string, Value>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const g = newGraph();
  const input = (name: string, shape: Shape): Value => g.input(name, "float32", shape);
  const params = new Map(
    [...method.params(site)].map(([name, { shape }]) => [name, input(name, shape)]),
  );
  const outputs = build(g, input("x", [rows, site.in]), input("W", [site.out, site.in]), params);
  for (const [name, value] of outputs) g.output(name, value);
  const program = await backend.compile(g);
  const shapes = new Map(g.inputs.map(({ name, value }) => [name, value.shape]));
  const feeds = new Map(
    program.inputs.map((name) => [
      name,
      backend.upload("float32", shapes.get(name) ?? [], data.get(name) ?? new Float32Array(0)),
    ]),
  );
  const made = await program.run(feeds);
  const results = new Map<string, readonly number[]>();
  for (const [name, tensor] of made)
    results.set(name, Array.from(await backend.download(tensor), Number));
  return results;
}

/** x, W and the method's tensors: as they start, or all at random. */
function inputs(method: BoundMethod, start: boolean): Arrays {
  const random = generator(7);
  const filled = (shape: Shape): Float32Array =>
    Float32Array.from({ length: elementCount(shape) }, () => 2 * random() - 1);
  const param = ({ shape, init }: ParamSpec): Float32Array =>
    start && (init === "zeros" || init === "ones")
      ? new Float32Array(elementCount(shape)).fill(init === "ones" ? 1 : 0)
      : filled(shape);
  return new Map([
    ["x", filled([rows, site.in])],
    ["W", filled([site.out, site.in])],
    ...[...method.params(site)].map(([name, spec]) => [name, param(spec)] as const),
  ]);
}

function baseOf(W: Value): LinearBase {
  return { ...site, dense: () => W, apply: (g, x) => matmul(g, x, W, { transB: true }) };
}

const still = { dropout: (x: Value) => x, drops: false };

function forward(method: BoundMethod): Parameters<typeof evaluate>[2] {
  return (g, x, W, params) => new Map([["y", method.forward(g, x, baseOf(W), params, still)]]);
}

function close(
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

const linear = methods.filter((method): method is LinearMethod => method.kind === "linear");

/** The defaults, and small values that differ from them. */
function configurations(method: LinearMethod): readonly BoundMethod[] {
  const changes: readonly Readonly<Record<string, unknown>>[] = [
    {},
    { r: 2, alpha: 3 },
    { r: 3, use_rslora: true },
  ];
  return changes.map((change) => {
    const known = Object.fromEntries(
      Object.entries(change).filter(([field]) => Object.hasOwn(method.config, field)),
    );
    const { value, findings } = parseFields(method.config, known);
    assert.deepEqual(findings, []);
    return method.bind(value);
  });
}

for (const method of linear)
  describe(`method ${method.name}`, () => {
    it("changes nothing at its start", async () => {
      for (const bound of configurations(method)) {
        const data = inputs(bound, true);
        const { y } = Object.fromEntries(await evaluate(bound, data, forward(bound)));
        const plain = await evaluate(
          bound,
          data,
          (g, x, W) => new Map([["y", matmul(g, x, W, { transB: true })]]),
        );
        close(y, plain.get("y"), 1e-12);
      }
    });

    it("has a forward that is x times its weight", async () => {
      for (const bound of configurations(method)) {
        const data = inputs(bound, false);
        const fast = await evaluate(bound, data, forward(bound));
        const defined = await evaluate(
          bound,
          data,
          (g, x, W, params) =>
            new Map([["y", matmul(g, x, bound.weight(g, W, params), { transB: true })]]),
        );
        // A factor such as alpha / √r is a float32 constant in one form and an attribute in the other.
        close(fast.get("y"), defined.get("y"), 1e-7);
      }
    });

    it("has the gradients that differences show", async () => {
      for (const bound of configurations(method)) {
        const data = inputs(bound, false);
        const loss = (g: Graph, y: Value): Value =>
          reshape(g, reduceSum(g, mul(g, y, add(g, y, y)), [0, 1]), []);
        const names = ["x", ...bound.params(site).keys()];
        const gradients = await evaluate(bound, data, (g, x, W, params) => {
          const total = loss(g, bound.forward(g, x, baseOf(W), params, still));
          const seed = scalar(g, 1);
          const wrt = [x, ...params.values()];
          const found = differentiate(g, new Map([[total, seed]]), wrt);
          return new Map(
            names.map((name, index) => {
              const value = found.get(wrt[index] ?? x);
              assert(value, `${name} has no gradient`);
              return [name, value];
            }),
          );
        });
        const at = async (name: string, index: number, change: number): Promise<number> => {
          const moved = new Map(data);
          const array = Float64Array.from(data.get(name) ?? []);
          array[index] = (array[index] ?? 0) + change;
          moved.set(name, Float32Array.from(array));
          const result = await evaluate(
            bound,
            moved,
            (g, x, W, params) =>
              new Map([["loss", loss(g, bound.forward(g, x, baseOf(W), params, still))]]),
          );
          return result.get("loss")?.[0] ?? NaN;
        };
        for (const name of names)
          for (const index of [0, 1, (gradients.get(name)?.length ?? 1) - 1]) {
            // A power of two, so that float32 holds the moved values exactly enough for the quotient.
            const step = 2 ** -10;
            const quotient =
              ((await at(name, index, step)) - (await at(name, index, -step))) / (2 * step);
            const exact = gradients.get(name)?.[index] ?? NaN;
            assert(
              Math.abs(quotient - exact) <= 1e-3 * Math.max(1, Math.abs(exact)),
              `${name}[${index}]: ${exact} against ${quotient}`,
            );
          }
      }
    });

    it("names every tensor for export, and documents every field", () => {
      for (const bound of configurations(method))
        assert.deepEqual(
          [...bound.params(site).keys()].toSorted(),
          Object.keys(method.peft.tensors).toSorted(),
        );
      for (const [name, field] of Object.entries(method.config))
        assert(field.doc.length > 10, `${name} is not documented`);
      assert.match(method.paper, /^https:\/\//);
    });

    it("refuses what lies outside its bounds", () => {
      for (const [name, { shape }] of Object.entries(method.config)) {
        if (shape.kind !== "int" && shape.kind !== "number") continue;
        const { findings } = parseFields(method.config, { [name]: -1 });
        assert(
          findings.some(({ severity }) => severity === "error"),
          `${name}: -1 was taken`,
        );
      }
    });
  });

it("finds linear methods to test", () => {
  assert(linear.length > 0);
});
