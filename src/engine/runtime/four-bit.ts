/** @file 4-bit blocks by the compiled kernel, which is read where they are first asked for. */
import { fourBitEncoder } from "../quantizers/blocks/four-bit.ts";
import { kernelBytes } from "./kernels.ts";

/** One for all of the process: it keeps nothing from call to call. */
export const fourBit = fourBitEncoder(() => kernelBytes("nf4"));
