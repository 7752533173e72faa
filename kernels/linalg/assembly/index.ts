/** @file The module of the linear algebra kernels: all of them work in one memory, so that matrices never move. */

export { gemm64, gemm32 } from "./gemm";
export {
  firstNotFinite,
  largest,
  dot,
  axpy,
  scale,
  gemv,
  gemvT,
  symv,
  copy,
  copyRows,
  transpose,
  swap,
  rotate,
} from "./vector";
export { reflector, qrPanel, triangularFactor, luPanel, choleskyBlock, solveBlock } from "./panels";
export { bidiagonalQr } from "./bidiagonal";
export { secularRoot, lowner, arrowVectors } from "./secular";
export { factorSymmetric, assign } from "./symmetric";
export { bandToBidiagonal } from "./band";
