/** @file How the matrices of a folder that was quantized are held. */
import type { Finding } from "../../shared/findings.ts";
import type { PackedBlocks, PackedWeight } from "../network/base-weights.ts";
import type { PackedStorage, Storage } from "../programs/setup.ts";
import { encodeGrid } from "../quantizers/blocks/uniform-grid.ts";
import { gridMatrix, packGrid } from "../quantizers/formats/grid.ts";
import { floatsOf } from "../quantizers/half.ts";
import type { PackedFormat, PackedMatrix } from "../quantizers/packed.ts";
import { arrayOf, bytesOf, numberOf, storedBytes } from "../quantizers/packed.ts";
import type { PackedAs } from "../weights/safetensors.ts";

/** NF4 in blocks that the kernel knows goes its way; everything else stays as it is stored. */
export function packedStorage(packedAs: PackedAs): Storage {
  const { format, settings, bytes } = packedAs;
  const { type, block_size: blockSize } = settings;
  if (format === "bnb" && type === "nf4" && typeof blockSize === "number" && blockSize <= 4096)
    return { type: "nf4", blockSize, doubleQuant: settings["nested_offset"] !== undefined };
  const blocks = packedAs.format === "grid" ? blocksOf(packedAs) : undefined;
  return { type: "packed", bytes, ...(blocks && { blocks }) };
}

/** What ONNX Runtime's operator takes: 4 or 8 bits in whole groups of a power of two, from 16 on. */
function blocksOf({ settings, columns, inOrder }: PackedAs): PackedStorage["blocks"] {
  const { bits, group } = settings;
  const size = group === -1 ? columns : group;
  if (!inOrder || (bits !== 4 && bits !== 8) || typeof size !== "number") return undefined;
  const fits = size >= 16 && Number.isInteger(Math.log2(size)) && columns % size === 0;
  return fits ? { bits, group: size } : undefined;
}

/** A packed matrix as a network holds it; `multiplied` where an operator takes it as it is. */
export function packedWeight(
  packed: PackedMatrix,
  expand: PackedFormat["expand"],
  multiplied: boolean,
): PackedWeight {
  const blocks = multiplied ? packedBlocks(packed) : undefined;
  return {
    bytes: storedBytes(packed),
    expand: (into) => {
      expand(packed, into);
    },
    ...(blocks && {
      blocks,
      reencode: (values) => packedWeight(onSameGrid(packed, values), expand, multiplied),
    }),
  };
}

/** Other weights on the grid of a matrix. */
function onSameGrid(packed: PackedMatrix, data: Float32Array): PackedMatrix {
  const { grid } = gridMatrix(packed);
  const { rows, columns, tensors } = packed;
  return packGrid(
    { grid, codes: encodeGrid({ rows, columns, data }, grid) },
    {
      scales: tensors.get("scales")?.dtype === "float32" ? "float32" : "float16",
      symmetric: !tensors.has("zeros"),
    },
  );
}

/** A matrix in the form in which the operator takes it; undefined where groups turn out to lie apart. */
function packedBlocks(packed: PackedMatrix): PackedBlocks | undefined {
  const codes = bytesOf(packed, "codes");
  const scales = floatsOf(arrayOf(packed, "scales"));
  if (packed.tensors.has("group_of")) return undefined;
  const zeros = packed.tensors.get("zeros")?.data;
  if (zeros instanceof Uint8Array) return { codes, scales, zeros };
  const bits = numberOf(packed, "bits");
  const bytes = packed.rows * Math.ceil(((scales.length / packed.rows) * bits) / 8);
  return { codes, scales, zeros: new Uint8Array(bytes).fill(bits === 8 ? 128 : 0x88) };
}

export function alreadyQuantized(type: string, tensor: string): Finding {
  return {
    code: "already-quantized",
    severity: "error",
    message: `quantization: ${type} is for weights as they come, and this model is quantized already, at ${tensor} first.`,
    remedy: "Leave quantization out, or give the model that it was made from.",
  };
}
