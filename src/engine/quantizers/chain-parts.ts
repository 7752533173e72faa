/** @file What quantizers that fold factors read of a chain: its consumers, their inputs, and what replacing weights costs. */
import { invariant } from "../../shared/errors.ts";
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../kernels/linalg/matrix.ts";
import type { Chain, InputSample, LayerContext, SiteMatrix } from "./context.ts";

/** The consumers' weights as the layer is now. */
export function consumersOf(layer: LayerContext, chain: Chain): readonly SiteMatrix[] {
  const all = layer.matrices();
  return chain.consumers.map((module) => {
    const found = all.find((matrix) => matrix.module === module);
    invariant(found, `${module} is no matrix of the layer`);
    return found;
  });
}

/**
 * What the search of a chain looks at, with other weights in the consumers' places: the attention's or the MLP's output
 * where a norm feeds them, their own where a linear site does (then there is one), as mean squared differences.
 */
export async function chainError(
  layer: LayerContext,
  chain: Chain,
  replaced: readonly (readonly [SiteMatrix, Float32Array])[],
): Promise<number> {
  if (chain.producer.kind === "norm")
    return layer.error(new Map(replaced.map(([{ module }, data]) => [module, data])), "part");
  let sum = 0;
  for (const [matrix, data] of replaced) {
    const inputs = await layer.of(matrix.module).inputs();
    sum += await ownError(layer.linalg, matrix, data, inputs);
  }
  return sum;
}

/** Mean of (X (V − W)ᵀ)². */
async function ownError(
  linalg: Linalg,
  { rows, columns, data }: SiteMatrix,
  values: Float32Array,
  inputs: InputSample,
): Promise<number> {
  const difference = { rows, columns, data: data.map((w, i) => (values[i] ?? NaN) - w) };
  const product = await linalg.multiply<Float32Array>(sampleOf(inputs, columns), difference, {
    transposeB: true,
  });
  return product.data.reduce((sum, y) => sum + y * y, 0) / Math.max(1, product.data.length);
}

export function sampleOf(
  { rows, data }: InputSample,
  columns: number,
  most = Infinity,
): Matrix<Float32Array> {
  if (rows <= most) return { rows, columns, data };
  const taken = new Float32Array(most * columns);
  for (let i = 0; i < most; i++) {
    const row = Math.floor((i * rows) / most);
    taken.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  }
  return { rows: most, columns, data: taken };
}
