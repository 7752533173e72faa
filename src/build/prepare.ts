/** @file What every command run from the sources needs first: the compiled kernels. */
import { buildKernels } from "./kernels.ts";

await buildKernels();
