/**
 * @file FP4: four bits a weight as a tiny floating-point number, a scale for each block.
 *
 * The other 4-bit type of Dettmers, Pagnoni, Holtzman, Zettlemoyer, "QLoRA: Efficient Finetuning of Quantized
 * LLMs", 2023, https://arxiv.org/abs/2305.14314: a sign, two bits of exponent and one of mantissa as bitsandbytes
 * lays them out, which are not those of the OCP formats (those are `zeroquant_fp`'s). Bytes as bitsandbytes makes
 * them, but for the sign of zero.
 */
import { bnbFields, bnbOptions } from "./bnb-fields.ts";
import { defineQuantizer } from "./define.ts";
import { bnb, bnbBytes, encodeBnb } from "./formats/bnb.ts";

export const fp4 = defineQuantizer({
  name: "fp4",
  title: "FP4",
  doc: "Holds each frozen weight as one of 15 floating-point numbers of 4 bits, with one scale for each block.",
  equation: "ŵ = ± s {0, 1/192, 1/6, 1/4, 1/3, 1/2, 2/3, 1}[q], s = max|w| of each block",
  use: "Choose it for models that bitsandbytes holds in FP4; NF4 is nearer to weights that are normally distributed.",
  paperTitle: "QLoRA: Efficient Finetuning of Quantized LLMs",
  paper: "https://arxiv.org/abs/2305.14314",
  axes: { B: "4-bit floating point by blocks" },
  evidence: "reference",
  config: bnbFields,
  formats: [bnb],
  storedBytes: (config, shape) => bnbBytes(shape, bnbOptions(config)),
  quantize: (config, matrix, { fourBit }) =>
    Promise.resolve(encodeBnb(matrix, { type: "fp4", ...bnbOptions(config) }, fourBit)),
});
