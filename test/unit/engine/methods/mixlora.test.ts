/** @file MixLoRA's shortcuts give what its definition gives, expert by expert, and its balance loss leaves padding out. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import { add, constant, matmul, reduceSum, relu, scalar } from "../../../../src/engine/core/ops.ts";
import type { BlockRun } from "../../../../src/engine/methods/block.ts";
import { mixlora } from "../../../../src/engine/methods/mixlora.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import { placedNetwork } from "../../../conformance/engine/placed-case.ts";

const [rows, width, inner, rank, experts] = [6, 4, 5, 2, 4] as const;
const config = {
  r: rank,
  alpha: 3,
  num_experts: experts,
  top_k: 2,
  router_aux_loss_coef: 0.5,
};
const site = {
  part: "mlp",
  width,
  linears: [
    { name: "up", kind: "up", in: width, out: inner },
    { name: "down", kind: "down", in: inner, out: width },
  ],
} as const;

type Arrays = ReadonlyMap<string, Float32Array>;

/** Values between −1 and 1, the same at each run. */
function values(seed: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(seed * 97 + i * i * 1.7 + i));
}

const method = mixlora.bind(config);
const shapes: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ["x", [rows, width]],
  ["real", [rows, 1]],
  ["W.up", [inner, width]],
  ["W.down", [width, inner]],
  ...[...method.params(site)].map(([name, { shape }]) => [name, shape] as const),
]);
const data: Arrays = new Map(
  [...shapes].map(([name, shape], index) => [
    name,
    name === "real" ? Float32Array.of(1, 1, 1, 1, 0, 0) : values(index + 1, elementCount(shape)),
  ]),
);

type Build = (g: Graph, inputs: ReadonlyMap<string, Value>) => ReadonlyMap<string, Value>;

async function evaluate(arrays: Arrays, build: Build): Promise<ReadonlyMap<string, number[]>> {
  const backend = createReferenceBackend();
  const g = newGraph();
  const inputs = new Map(
    [...shapes].map(([name, shape]) => [name, g.input(name, "float32", shape)]),
  );
  for (const [name, value] of build(g, inputs)) g.output(name, value);
  const program = await backend.compile(g);
  const feeds = new Map(
    program.inputs.map((name) => [
      name,
      backend.upload("float32", shapes.get(name) ?? [], arrays.get(name) ?? new Float32Array(0)),
    ]),
  );
  const results = new Map<string, number[]>();
  for (const [name, tensor] of await program.run(feeds))
    results.set(name, Array.from(await backend.download(tensor), Number));
  return results;
}

const mixed: Build = (g, inputs) => {
  const losses: Value[] = [];
  const value = (name: string): Value => {
    const found = inputs.get(name);
    assert(found, name);
    return found;
  };
  const linear = (name: string, x: Value): Value =>
    matmul(g, x, value(`W.${name}`), { transB: true });
  const run: BlockRun = {
    input: value("x"),
    linear,
    compute: (own = linear) => own("down", relu(g, own("up", value("x")))),
    realRows: () => value("real"),
    addLoss: (loss) => losses.push(loss()),
  };
  const y = method.forward(g, run, inputs, site);
  return new Map([["y", y], ...losses.map((loss) => ["loss", loss] as const)]);
};

/** The definition, with plain loops: y, and the balance loss. */
function defined(arrays: Arrays): { readonly y: number[]; readonly loss: number } {
  const get = (name: string, row: number, column: number): number =>
    at(arrays.get(name) ?? [], row * at(shapes.get(name) ?? [], 1) + column);
  const weightOf = (name: string, e: number, row: number, column: number): number => {
    let sum = get(`W.${name}`, row, column);
    for (let k = 0; k < rank; k++)
      sum += 1.5 * get(`${name}.B`, row, e * rank + k) * get(`${name}.A`, e * rank + k, column);
    return sum;
  };
  const y = new Array<number>(rows * width).fill(0);
  const taken = new Array<number>(experts).fill(0);
  const mean = new Array<number>(experts).fill(0);
  for (let row = 0; row < rows; row++) {
    const logits = Array.from({ length: experts }, (_, e) =>
      Array.from({ length: width }, (_unused, i) => get("x", row, i) * get("router", e, i)).reduce(
        (a, b) => a + b,
      ),
    );
    const chosen = [...logits.keys()].sort((a, b) => at(logits, b) - at(logits, a)).slice(0, 2);
    const total = chosen.reduce((sum, e) => sum + Math.exp(at(logits, e)), 0);
    const all = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for (let e = 0; e < experts && get("real", row, 0) === 1; e++) {
      taken[e] = at(taken, e) + (chosen.includes(e) ? 1 / 4 : 0);
      mean[e] = at(mean, e) + Math.exp(at(logits, e)) / all / 4;
    }
    for (const e of chosen) {
      const hidden = Array.from({ length: inner }, (_, j) => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += weightOf("up", e, j, i) * get("x", row, i);
        return Math.max(0, sum);
      });
      for (let o = 0; o < width; o++)
        for (let j = 0; j < inner; j++)
          y[row * width + o] =
            at(y, row * width + o) +
            (Math.exp(at(logits, e)) / total) * weightOf("down", e, o, j) * at(hidden, j);
    }
  }
  const product = taken.reduce((sum, share, e) => sum + share * at(mean, e), 0);
  return { y, loss: 0.5 * experts * product };
}

function assertClose(actual: readonly number[] = [], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, index) => {
    assert(Math.abs(value - (actual[index] ?? NaN)) < 1e-9, `${actual[index]} is not ${value}`);
  });
}

it("gives the sum of the chosen experts, each with weights of its own", async () => {
  assertClose((await evaluate(data, mixed)).get("y"), defined(data).y);
});

it("balances by the tokens alone", async () => {
  assertClose((await evaluate(data, mixed)).get("loss"), [defined(data).loss]);
});

it("does not depend on the order of the experts", async () => {
  const order = [2, 0, 3, 1];
  const moved = new Map(data);
  const rowsOf = (name: string, size: number): void => {
    const own = data.get(name) ?? new Float32Array(0);
    const parts = order.map((e) => own.subarray(e * size, (e + 1) * size));
    moved.set(name, Float32Array.from(parts.flatMap((part) => [...part])));
  };
  rowsOf("router", width);
  rowsOf("up.A", rank * width);
  rowsOf("down.A", rank * inner);
  for (const [name, out] of [
    ["up.B", inner],
    ["down.B", width],
  ] as const) {
    const own = data.get(name) ?? new Float32Array(0);
    moved.set(
      name,
      own.map((_, place) => {
        const [row, column] = [Math.floor(place / (experts * rank)), place % (experts * rank)];
        const from = at(order, Math.floor(column / rank)) * rank + (column % rank);
        return at(own, row * experts * rank + from);
      }),
    );
    assert.equal(own.length, out * experts * rank);
  }
  const [before, after] = [await evaluate(data, mixed), await evaluate(moved, mixed)];
  assertClose(after.get("y"), before.get("y") ?? []);
});

it("leads gradients of the balance loss to the router alone, by the means that differences show", async () => {
  const gradients = await evaluate(data, (g, inputs) => {
    const loss = mixed(g, inputs).get("loss");
    const router = inputs.get("router");
    assert(loss && router);
    const found = differentiate(g, new Map([[loss, scalar(g, 1)]]), [...inputs.values()]);
    assert(!found.has(inputs.get("up.A") ?? loss), "experts have no part in the balance");
    const gradient = found.get(router);
    assert(gradient);
    return new Map([["router", gradient]]);
  });
  const lossAt = (index: number, change: number): number => {
    const router = (data.get("router") ?? new Float32Array(0)).slice();
    router[index] = at(router, index) + change;
    return defined(new Map([...data, ["router", router]])).loss;
  };
  const step = 2 ** -10;
  const exact = gradients.get("router") ?? [];
  assert(exact.some((value) => Math.abs(value) > 1e-3));
  exact.forEach((value, index) => {
    const quotient = (lossAt(index, step) - lossAt(index, -step)) / (2 * step);
    assert(Math.abs(quotient - value) < 1e-5, `${value} against ${quotient}`);
  });
});

it("is a plain pair where there is one expert", async () => {
  const one = mixlora.bind({ ...config, num_experts: 1, top_k: 2 });
  const made = await evaluate(data, (g, inputs) => {
    const value = (name: string): Value => {
      const found = inputs.get(name);
      assert(found, name);
      return found;
    };
    const linear = (name: string, x: Value): Value =>
      matmul(g, x, value(`W.${name}`), { transB: true });
    const run: BlockRun = {
      input: value("x"),
      linear,
      compute: (own = linear) => own("down", relu(g, own("up", value("x")))),
      realRows: () => value("real"),
      addLoss: () => undefined,
    };
    const first = (name: string): Value => value(name);
    const params = new Map(["up", "down"].flatMap((name) => firstExpert(g, name, first)));
    params.set("router", router(g, first));
    const y = one.forward(g, run, params, site);
    const pair = (name: string, x: Value): Value => {
      const A = params.get(`${name}.A`);
      const B = params.get(`${name}.B`);
      assert(A && B);
      const u = matmul(g, x, A, { transB: true });
      return add(g, linear(name, x), matmul(g, u, B, { transB: true, alpha: 1.5 }));
    };
    return new Map([
      ["y", y],
      ["pair", pair("down", relu(g, pair("up", value("x"))))],
      ["sum", reduceSum(g, y, [0])],
    ]);
  });
  assertClose(made.get("y"), made.get("pair") ?? []);
});

function firstExpert(
  g: Graph,
  name: string,
  value: (name: string) => Value,
): readonly (readonly [string, Value])[] {
  const pick = Float32Array.from({ length: rank * experts * rank }, (_, i) =>
    i % (experts * rank) === Math.floor(i / (experts * rank)) ? 1 : 0,
  );
  const chosen = constant(g, "float32", [rank, experts * rank], pick);
  return [
    [`${name}.A`, matmul(g, chosen, value(`${name}.A`))],
    [`${name}.B`, matmul(g, value(`${name}.B`), chosen, { transB: true })],
  ];
}

function router(g: Graph, value: (name: string) => Value): Value {
  const pick = Float32Array.from({ length: experts }, (_, i) => (i === 0 ? 1 : 0));
  return matmul(g, constant(g, "float32", [1, experts], pick), value("router"));
}

it("reaches the routers of a network by the balance loss", async (t) => {
  const gradients = async (coefficient: number): Promise<Float32Array> => {
    const choice = { type: "mixlora", r: 2, num_experts: 3, router_aux_loss_coef: coefficient };
    const network = await placedNetwork(t, "llama", choice);
    network.parameters.zeroGradients();
    await network.train({ ...network.batch, lengths: Int32Array.of(6, 3) }, 0.1);
    return network.parameters.get("layers.1.mlp#router").gradient;
  };
  // At the start all experts are the base: only the balance tells them apart.
  assert((await gradients(0)).every((value) => Math.abs(value) < 1e-7));
  const [small, large] = [await gradients(0.5), await gradients(1)];
  assert(large.some((value) => Math.abs(value) > 1e-4));
  large.forEach((value, index) => {
    assert(Math.abs(value - 2 * at(small, index)) < 1e-6);
  });
});

it("tells the balance of experts apart from the loss of the data", async (t) => {
  const choice = { type: "mixlora", r: 2, num_experts: 3, top_k: 3, router_aux_loss_coef: 0.5 };
  const network = await placedNetwork(t, "llama", choice);
  const told: number[] = [];
  const rows = network.batch.rows.length;
  const penalty = (value: number): void => void told.push(value);
  const loss = await network.train(network.batch, 1 / rows, { onPenalty: penalty });
  // Where every token takes all experts the shares are 1 and the means sum to 1: 0.5 · 3 at each of two layers.
  assert.equal(told.length, 2);
  for (const value of told) assert(Math.abs(value - 1.5) < 1e-5, `${value} is not 1.5`);
  assert(Math.abs(loss - (await network.loss())) < 1e-4);
});
