/**
 * @file NF4: four bits a weight from the quantiles of a normal distribution, a scale for each block.
 *
 * Dettmers, Pagnoni, Holtzman, Zettlemoyer, "QLoRA: Efficient Finetuning of Quantized LLMs", 2023,
 * https://arxiv.org/abs/2305.14314. Bytes as bitsandbytes makes them; its default is FP4 and no double
 * quantization, QLoRA's recipe is NF4 with it, which is the default here.
 */
import { bnbFields, bnbOptions } from "./bnb-fields.ts";
import { defineQuantizer } from "./define.ts";
import { bnb, bnbBytes, encodeBnb } from "./formats/bnb.ts";

export const nf4 = defineQuantizer({
  name: "nf4",
  title: "NF4",
  doc: "Holds each frozen weight as the nearest of 16 quantiles of a normal distribution, with one scale for each block.",
  equation:
    "ŵ = s c[q], c the 16 quantiles of N(0, 1) scaled to [−1, 1], s = max|w| of each block, itself held in 8 bits",
  use: "Choose it to train adapters beside a base in four bits, as QLoRA does: it needs no data, and bitsandbytes reads its bytes.",
  paperTitle: "QLoRA: Efficient Finetuning of Quantized LLMs",
  paper: "https://arxiv.org/abs/2305.14314",
  axes: { B: "4-bit quantiles by blocks" },
  evidence: "reference",
  config: bnbFields,
  formats: [bnb],
  storedBytes: (config, shape) => bnbBytes(shape, bnbOptions(config)),
  quantize: (config, matrix, { fourBit }) =>
    Promise.resolve(encodeBnb(matrix, { type: "nf4", ...bnbOptions(config) }, fourBit)),
  storage: (config) => ({ type: "nf4", ...bnbOptions(config) }),
});
