/** @file Quantizing: NF4 there and back on one thread in GB/s of float32, GPTQ's sweep in multiples of a product of its size, packed products in parts of the float rate. */
import { availableParallelism } from "node:os";
import { normalMatrix } from "../../kernels/krylov/normal.ts";
import { createLinalg } from "../../kernels/linalg/index.ts";
import { createNf4 } from "../../kernels/nf4/index.ts";
import { gridColumns } from "../../src/engine/quantizers/blocks/grid-columns.ts";
import { factorHessian, sweepColumns } from "../../src/engine/quantizers/blocks/hessian-solver.ts";
import { backendGemm } from "../../src/engine/runtime/gemm.ts";
import { kernelBytes } from "../../src/engine/runtime/kernels.ts";
import { createOrtBackend } from "../../src/engine/runtime/ort.ts";
import { packedProducts, rows, width } from "./packed-products.ts";

/** The best of three or more runs each. */
export async function quantize(): Promise<Record<string, unknown>> {
  return {
    "NF4 4096²": await nf4(),
    "GPTQ 2048², 4 bits, groups of 128": await gptq(),
    [`products of ${rows} rows with ${width}²`]: await products(),
  };
}

/** GFLOP/s there and back, and both together in parts of the float rate. */
async function products(): Promise<Record<string, unknown>> {
  const backend = await createOrtBackend({ device: "cpu", threads: availableParallelism() });
  const flops = 2 * rows * width ** 2;
  const timed = Object.entries(await packedProducts(backend));
  const best = new Map(timed.map(([name]) => [name, { forward: Infinity, backward: Infinity }]));
  // In turns, so that all see the same machine.
  for (let turn = 0; turn < 8; turn++)
    for (const [name, run] of timed) {
      const least = best.get(name);
      if (!least) continue;
      for (const way of ["forward", "backward"] as const)
        least[way] = Math.min(least[way], await once(run[way]));
    }
  const float = best.get("float32") ?? { forward: NaN, backward: NaN };
  const result: Record<string, unknown> = {};
  for (const [name, { forward, backward }] of best)
    result[name] = {
      "forward, GFLOP/s": round(flops / forward / 1e9),
      "backward, GFLOP/s": round(flops / backward / 1e9),
      "both, of float32": round((float.forward + float.backward) / (forward + backward)),
    };
  return result;
}

async function nf4(): Promise<Record<string, unknown>> {
  const count = 4096 ** 2;
  const values = new Float32Array(normalMatrix(4096, 4096, 1).data);
  const kernel = createNf4(kernelBytes("nf4"), { scratchElements: count });
  const made = kernel.quantize(values);
  if (made.kind !== "quantized") throw new Error("The matrix has a NaN.");
  const gigabytes = (4 * count) / 1e9;
  const encode = await seconds(() => kernel.quantize(values), 12);
  const decode = await seconds(() => kernel.decode(made.codes, made.absmax, 0, count), 12);
  return { "encode, GB/s": round(gigabytes / encode), "decode, GB/s": round(gigabytes / decode) };
}

async function gptq(): Promise<Record<string, unknown>> {
  const n = 2048;
  const backend = await createOrtBackend({ device: "cpu", threads: availableParallelism() });
  // As `spectune quantize` has it: large products are ONNX Runtime's.
  const { gemm } = backendGemm(backend);
  const linalg = createLinalg(kernelBytes("linalg"), { maxBytes: 2 ** 31, gemm });
  const W = { rows: n, columns: n, data: new Float32Array(normalMatrix(n, n, 2).data) };
  const X = normalMatrix(n, n, 3);
  const product = await seconds(() => linalg.multiply(X, X, { transposeA: true }));
  const H = await linalg.multiply(X, X, { transposeA: true });
  const factor = await seconds(() => factorHessian(linalg, H));
  const whole = await seconds(async () => {
    const found = await factorHessian(linalg, H);
    const grid = { bits: 4, symmetric: false, granularity: 128, dead: found.dead };
    return sweepColumns(linalg, W, found, gridColumns(W, grid).quantize);
  });
  return {
    "product, s": round(product),
    "factor, s": round(factor),
    "whole, s": round(whole),
    "whole, products": round(whole / product),
  };
}

async function seconds(run: () => unknown, runs = 3): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < runs; i++) best = Math.min(best, await once(run));
  return best;
}

async function once(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
