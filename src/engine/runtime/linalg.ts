/** @file Linear algebra over the compiled kernel, opened where it is first asked for. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { kernelBytes } from "./kernels.ts";

/** The same one at each call. */
export function lazyLinalg(): () => Linalg {
  let opened: Linalg | undefined;
  return () => (opened ??= createLinalg(kernelBytes("linalg")));
}
