/** @file The field of quantizers of weights and inputs: how many bits inputs have, simulated when the model runs. */
import { int } from "../../shared/schema.ts";
import type { InputRounding } from "../programs/round-inputs.ts";

export const inputBits = int({
  default: 8,
  min: 2,
  max: 16,
  doc: "Bits that each token's inputs are rounded to where the model is measured or generates, simulated; 16 for none.",
  aliases: ["a_bit"],
});

/** Nothing where inputs stay as they are. */
export function integerInputs(bits: number, symmetric: boolean): InputRounding | undefined {
  return bits >= 16 ? undefined : { type: "integer", bits, symmetric };
}
