/** @file What the lab computes with: products by ONNX Runtime on every core, and a word before each of them. */
import { availableParallelism } from "node:os";
import type { Gemm } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import type { Tools } from "../analyze/products.ts";
import { backendGemm } from "../runtime/gemm.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { createOrtBackend } from "../runtime/ort.ts";

export interface LabProducts {
  readonly tools: Tools;
  readonly dispose: () => Promise<void>;
}

/** Bytes of the linear algebra's memory at most: an exact SVD of 8192 × 8192 fits. */
const memoryBytes = 4 * 2 ** 30 - 65536;

/**
 * `before` runs ahead of each large product, many times within a large matrix: what it throws ends the
 * work there, so that nobody waits for a decomposition that nobody wants any more.
 */
export async function openLabProducts(before: () => void): Promise<LabProducts> {
  const backend = await createOrtBackend({ device: "cpu", threads: availableParallelism() });
  const products = backendGemm(backend);
  const heard =
    (multiply: Gemm): Gemm =>
    (a, b, into) => {
      before();
      return multiply(a, b, into);
    };
  const gemm = heard(products.gemm);
  const timesTransposed = heard(products.timesTransposed);
  const linalg = createLinalg(kernelBytes("linalg"), { maxBytes: memoryBytes, gemm });
  return { tools: { linalg, gemm, timesTransposed }, dispose: () => products.dispose() };
}

/** `tell` at most so often, by the milliseconds of `now`. */
export function atIntervals(
  milliseconds: number,
  now: () => number,
  tell: (elapsed: number) => void,
): () => void {
  const began = now();
  let last = began;
  return () => {
    const present = now();
    if (present - last < milliseconds) return;
    last = present;
    tell(present - began);
  };
}
