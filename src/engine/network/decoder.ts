/** @file Expands 16-bit and packed weights to float32 in buffers that are made once. */
import { invariant } from "../../shared/errors.ts";
import type { Nf4 } from "../../../kernels/nf4/index.ts";
import { halfToFloat32 } from "../weights/dtype-conversion.ts";
import type { Decoder } from "./base-weights.ts";

/** Elements of the largest tensor of each kind. */
export interface DecoderSizes {
  readonly half: number;
  readonly packed: number;
}

/** `nf4` decodes into its own scratch. */
export function createDecoder(sizes: DecoderSizes, nf4: Nf4 | undefined): Decoder {
  const scratch = new Float32Array(Math.max(sizes.half, sizes.packed));
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
    packed({ expand }, count) {
      const into = scratch.subarray(0, count);
      expand(into);
      return into;
    },
  };
}
