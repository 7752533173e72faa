/** @file How the matrices of a folder that was quantized are held. */
import type { Finding } from "../../shared/findings.ts";
import type { Storage } from "../programs/setup.ts";
import type { PackedAs } from "../weights/safetensors.ts";

/** NF4 in blocks that the kernel knows goes its way; everything else stays as it is stored. */
export function packedStorage({ format, settings, bytes }: PackedAs): Storage {
  const { type, block_size: blockSize } = settings;
  if (format === "bnb" && type === "nf4" && typeof blockSize === "number" && blockSize <= 4096)
    return { type: "nf4", blockSize, doubleQuant: settings["nested_offset"] !== undefined };
  return { type: "packed", bytes };
}

export function alreadyQuantized(type: string, tensor: string): Finding {
  return {
    code: "already-quantized",
    severity: "error",
    message: `quantization: ${type} is for weights as they come, and this model is quantized already, at ${tensor} first.`,
    remedy: "Leave quantization out, or give the model that it was made from.",
  };
}
