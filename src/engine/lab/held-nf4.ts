/** @file A base matrix as NF4 holds it while something trains on it: quantized along the rows of [out, in] and decoded. */
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import { createNf4, nestScales, unnestScales } from "../../../kernels/nf4/index.ts";
import { invariant } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import type { HeldForm } from "./matrix-set.ts";

export interface Nf4Form {
  readonly blockSize: number;
  readonly doubleQuant: boolean;
}

export function heldNf4({ blockSize, doubleQuant }: Nf4Form): HeldForm {
  return {
    label: `nf4 block ${blockSize}${doubleQuant ? " double" : ""}`,
    apply({ rows, columns, data }: Matrix<Data>): Matrix<Data> {
      const nf4 = createNf4(kernelBytes("nf4"), { scratchElements: data.length, blockSize });
      const quantized = nf4.quantize(data instanceof Float32Array ? data : new Float32Array(data));
      invariant(quantized.kind === "quantized", "a matrix was not finite");
      const { codes, absmax } = quantized;
      const scales = doubleQuant ? unnestScales(nestScales(absmax)) : absmax;
      return { rows, columns, data: nf4.decode(codes, scales, 0, data.length).slice() };
    },
  };
}

/** How a run's `quantization` held its base; undefined for what is not NF4. */
export function heldFormOf(
  quantization: { readonly type: string; readonly config: unknown } | null | undefined,
): Nf4Form | undefined {
  if (quantization?.type !== "nf4" || !isRecord(quantization.config)) return undefined;
  const { block_size: blockSize, double_quant: doubleQuant } = quantization.config;
  return {
    blockSize: typeof blockSize === "number" ? blockSize : 64,
    doubleQuant: doubleQuant !== false,
  };
}
