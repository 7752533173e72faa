/** @file Expands 16-bit and NF4 weights to float32 in one buffer that is made once. */
import { invariant } from "../../shared/errors.ts";
import type { Nf4 } from "../../../kernels/nf4/index.ts";
import { halfToFloat32 } from "../weights/dtype-conversion.ts";
import type { Decoder } from "./base-weights.ts";

/** `largestHalf`: elements of the largest 16-bit tensor; `nf4` decodes into its own scratch. */
export function createDecoder(largestHalf: number, nf4: Nf4 | undefined): Decoder {
  const scratch = new Float32Array(largestHalf);
  return {
    half(data, type) {
      const into = scratch.subarray(0, data.length);
      halfToFloat32(type, data, into);
      return into;
    },
    nf4({ codes, scales, count }) {
      invariant(nf4, "NF4 weights need the kernel");
      return nf4.decode(codes, scales, 0, count);
    },
  };
}
