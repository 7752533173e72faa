/** @file The fields of quantizers that store bitsandbytes' 4-bit blocks. */
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
