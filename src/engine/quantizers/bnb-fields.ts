/** @file The fields of quantizers that store bitsandbytes' 4-bit blocks, and what they stand for. */
import type { Infer } from "../../shared/schema.ts";
import { bool, int } from "../../shared/schema.ts";

export const bnbFields = {
  block_size: int({
    default: 64,
    min: 32,
    max: 4096,
    powerOfTwo: true,
    doc: "Weights that share a scale: a power of two.",
    aliases: ["bnb_4bit_block_size"],
  }),
  double_quant: bool({
    default: true,
    doc: "Quantize the scales too, to 8 bits.",
    aliases: ["bnb_4bit_use_double_quant"],
  }),
} as const;

export function bnbOptions({ block_size, double_quant }: Infer<typeof bnbFields>): {
  readonly blockSize: number;
  readonly doubleQuant: boolean;
} {
  return { blockSize: block_size, doubleQuant: double_quant };
}
