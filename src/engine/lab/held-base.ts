/** @file A base matrix as it is held while something trains on it: quantized as the model is read, along the rows of [out, in], and expanded. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createNf4, nestScales, unnestScales } from "../../../kernels/nf4/index.ts";
import { invariant, UserError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/schema.ts";
import { kindOf } from "../programs/setup.ts";
import { packedFormats } from "../quantizers/formats/table.ts";
import { expanded } from "../quantizers/packed.ts";
import { fourBit } from "../runtime/four-bit.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { packWhenRead, storageWhenRead } from "../session/quantized-when-read.ts";
import type { HeldForm } from "./tuned-side.ts";
import { moduleOf } from "./names.ts";

/** What `quantization` of an experiment makes of the base. */
export function heldBase(choice: Choice, linalg: Linalg): HeldForm {
  const fields = Object.entries(choice.config).map(([name, value]) => `${name} ${String(value)}`);
  return {
    label: `${choice.type} (${fields.join(", ")})`,
    async apply(name, W) {
      const shape = { rows: W.rows, columns: W.columns };
      const storageBy = storageWhenRead(choice);
      if (typeof storageBy !== "function") throw new UserError(storageBy);
      const storage = storageBy(shape);
      if (typeof storage === "string")
        throw new UserError({
          code: "shape-does-not-fit",
          message: `quantization: ${choice.type} cannot hold ${name}: ${storage}`,
          remedy: "Choose the matrices that it holds with --matrices.",
        });
      const data = W.data instanceof Float32Array ? W.data : new Float32Array(W.data);
      if (storage.type === "nf4") return { ...shape, data: throughNf4(data, storage) };
      invariant(storage.type === "packed", `${choice.type} quantizes`);
      const module = moduleOf(name);
      const matrix = { module, kind: kindOf({ module }), ...shape, data };
      return {
        ...shape,
        data: expanded(await packWhenRead(storage, matrix, { linalg, fourBit }), packedFormats),
      };
    },
  };
}

interface Nf4 {
  readonly blockSize: number;
  readonly doubleQuant: boolean;
}

function throughNf4(data: Float32Array, { blockSize, doubleQuant }: Nf4): Float32Array {
  const nf4 = createNf4(kernelBytes("nf4"), { scratchElements: data.length, blockSize });
  const quantized = nf4.quantize(data);
  invariant(quantized.kind === "quantized", "a matrix was not finite");
  const { codes, absmax } = quantized;
  const scales = doubleQuant ? unnestScales(nestScales(absmax)) : absmax;
  return nf4.decode(codes, scales, 0, data.length).slice();
}

/** As `--quantized nf4` means it. */
export const plainNf4: Choice = { type: "nf4", config: { block_size: 64, double_quant: true } };

/** How a run's `quantization` holds its base, as plain data. */
export function heldChoice(quantization: Choice | null | undefined): Choice | undefined {
  return quantization ? { type: quantization.type, config: quantization.config } : undefined;
}
