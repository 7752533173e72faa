/** @file How far a stored matrix is from the float one: by its weights, and by its outputs on calibration data. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { proxyError } from "../quantizers/blocks/hessian-solver.ts";
import type { InputMoments, SiteMatrix } from "../quantizers/context.ts";

export interface MatrixError {
  /** ‖W − Ŵ‖_F / ‖W‖_F */
  readonly weightError: number;
  /** ‖X (W − Ŵ)ᵀ‖² / ‖X Wᵀ‖², X what the matrix reads with all layers before quantized. */
  readonly outputError?: number;
}

export async function matrixError(
  linalg: Linalg,
  { rows, columns, data }: SiteMatrix,
  values: Float32Array,
  moments: InputMoments | undefined,
): Promise<MatrixError> {
  let [difference, size] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const w = data[i] ?? NaN;
    difference += (w - (values[i] ?? NaN)) ** 2;
    size += w * w;
  }
  const weightError = size === 0 ? 0 : Math.sqrt(difference / size);
  if (!moments) return { weightError };
  const W = { rows, columns, data };
  const nothing = { rows, columns, data: new Float32Array(data.length) };
  const whole = await proxyError(linalg, W, nothing, moments.matrix);
  const lost = await proxyError(linalg, W, { rows, columns, data: values }, moments.matrix);
  return { weightError, outputError: whole === 0 ? 0 : Math.max(0, lost / whole) };
}
