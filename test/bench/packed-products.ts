/** @file Products of 1024 rows with a packed 2048² matrix, there and back, beside those with a float32 one. */
import { normalMatrix } from "../../kernels/krylov/normal.ts";
import { createNf4 } from "../../kernels/nf4/index.ts";
import { newGraph } from "../../src/engine/core/graph.ts";
import { matmul, transpose } from "../../src/engine/core/ops.ts";
import { matmulNBits, matmulNF4 } from "../../src/engine/core/packed.ts";
import { encodeGrid, fitGrid } from "../../src/engine/quantizers/blocks/uniform-grid.ts";
import { grid, packGrid } from "../../src/engine/quantizers/formats/grid.ts";
import { halfScale } from "../../src/engine/quantizers/half.ts";
import type { Backend } from "../../src/engine/runtime/backend.ts";
import { packedWeight } from "../../src/engine/session/packed-storage.ts";
import { kernelBytes } from "../../src/engine/runtime/kernels.ts";

export const [rows, width] = [1024, 2048];

interface Timed {
  /** x Wᵀ. */
  readonly forward: () => Promise<void>;
  /** dY W, of which the float matrix is made first. */
  readonly backward: () => Promise<void>;
}

/** The three ways, warm. */
export async function packedProducts(backend: Backend): Promise<Readonly<Record<string, Timed>>> {
  const w = new Float32Array(normalMatrix(width, width, 4).data.map((value) => 0.02 * value));
  const x = new Float32Array(normalMatrix(rows, width, 5).data);
  const back = await backProduct(backend, x);
  return {
    float32: { forward: await floatProduct(backend, x, w), backward: () => back(w) },
    nf4: await nf4Products(backend, x, w, back),
    "int4, groups of 64": await gridProducts(backend, x, w, back),
  };
}

type Back = (w: Float32Array) => Promise<void>;

async function floatProduct(backend: Backend, x: Float32Array, w: Float32Array) {
  const g = newGraph();
  const [a, b] = [g.input("x", "float32", [rows, width]), g.input("w", "float32", [width, width])];
  g.output("y", matmul(g, a, transpose(g, b, [1, 0])));
  return runner(backend, g, { x: [[rows, width], x], w: [[width, width], w] });
}

/** As the backward pass multiplies: by the expanded matrix as it lies. */
async function backProduct(backend: Backend, dy: Float32Array): Promise<Back> {
  const g = newGraph();
  const [a, b] = [g.input("dy", "float32", [rows, width]), g.input("w", "float32", [width, width])];
  g.output("dx", matmul(g, a, b));
  const program = await backend.compile(g);
  const held = backend.upload("float32", [rows, width], dy);
  const into = outputs(backend, "dx");
  return async (w) => {
    const feeds = new Map([["dy", held], ["w", backend.upload("float32", [width, width], w)]] as const); // prettier-ignore
    await program.run(feeds, into);
  };
}

async function nf4Products(backend: Backend, x: Float32Array, w: Float32Array, back: Back) {
  const kernel = createNf4(kernelBytes("nf4"), { scratchElements: w.length });
  const made = kernel.quantize(w);
  if (made.kind !== "quantized") throw new Error("The matrix has a NaN.");
  const { codes, absmax } = made;
  const g = newGraph();
  const decoded = g.input("w", "float32", [width, width]);
  const a = g.input("x", "float32", [rows, width]);
  const packed = g.input("codes", "uint8", [codes.length]);
  const scales = g.input("absmax", "float32", [absmax.length]);
  const weight = { in: width, out: width, blockSize: 64, decoded };
  g.output("y", matmulNF4(g, a, packed, scales, weight));
  const forward = await runner(backend, g, {
    x: [[rows, width], x],
    codes: [[codes.length], codes],
    absmax: [[absmax.length], absmax],
  });
  return { forward, backward: () => back(kernel.decode(codes, absmax, 0, w.length)) };
}

async function gridProducts(backend: Backend, x: Float32Array, w: Float32Array, back: Back) {
  const group = 64;
  const matrix = { rows: width, columns: width, data: w };
  const options = { bits: 4, symmetric: false, granularity: group, roundScale: halfScale };
  const fitted = fitGrid(matrix, options);
  const how = { scales: "float16", symmetric: false } as const;
  const packed = packGrid({ grid: fitted, codes: encodeGrid(matrix, fitted) }, how);
  const { blocks } = packedWeight(packed, grid.expand, true);
  if (!blocks) throw new Error("The operator takes no such matrix.");
  const { codes, scales, zeros } = blocks;
  const g = newGraph();
  const decoded = g.input("w", "float32", [width, width]);
  const a = g.input("x", "float32", [rows, width]);
  const of = (name: string, dtype: "uint8" | "float32", data: Float32Array | Uint8Array) =>
    g.input(name, dtype, [width, data.length / width]);
  const arrays = [of("codes", "uint8", codes), of("scales", "float32", scales), of("zeros", "uint8", zeros)] as const; // prettier-ignore
  const weight = { in: width, out: width, bits: 4, group, decoded };
  g.output("y", matmulNBits(g, [a, ...arrays], weight));
  const shape = (data: Float32Array | Uint8Array): readonly number[] => [
    width,
    data.length / width,
  ];
  const forward = await runner(backend, g, {
    x: [[rows, width], x],
    codes: [shape(codes), codes],
    scales: [shape(scales), scales],
    zeros: [shape(zeros), zeros],
  });
  const scratch = new Float32Array(w.length);
  return {
    forward,
    backward: () => {
      grid.expand(packed, scratch);
      return back(scratch);
    },
  };
}

async function runner(
  backend: Backend,
  g: ReturnType<typeof newGraph>,
  feeds: Readonly<Record<string, readonly [readonly number[], Float32Array | Uint8Array]>>,
): Promise<() => Promise<void>> {
  const program = await backend.compile(g);
  const held = new Map(
    Object.entries(feeds)
      .filter(([name]) => program.inputs.includes(name))
      .map(([name, [shape, data]]) => [
        name,
        backend.upload(data instanceof Float32Array ? "float32" : "uint8", shape, data),
      ]),
  );
  const into = outputs(backend, "y");
  return async () => {
    await program.run(held, into);
  };
}

/** Preallocated, so that no pages are faulted in. */
function outputs(backend: Backend, name: string) {
  return new Map([
    [name, backend.upload("float32", [rows, width], new Float32Array(rows * width))],
  ]);
}
