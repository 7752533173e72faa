/** @file Quantizers that need no data, applied to a model as it is read: how its matrices are held, and their packing. */
import type { Choice } from "../../shared/schema.ts";
import type { Finding } from "../../shared/findings.ts";
import { InternalError, UserError } from "../../shared/errors.ts";
import { quantizers, rowNamed } from "../catalog.ts";
import type { PackedStorage, Storage } from "../programs/setup.ts";
import type { MatrixShape, QuantizeContext, SiteMatrix } from "../quantizers/context.ts";
import { needsData } from "../quantizers/define.ts";
import type { PackedMatrix } from "../quantizers/packed.ts";
import { packedStorage } from "./packed-storage.ts";

/** How a matrix is held under a choice, or why it cannot be; a finding for quantizers that read data. */
export function storageWhenRead(
  choice: Choice,
): ((shape: MatrixShape) => Storage | string) | Finding {
  const { type, config } = choice;
  const row = rowNamed(quantizers, type);
  const bound = row.bind(config);
  const needs = needsData(type, bound);
  if (needs) return { code: "quantized-from-data", severity: "error", ...needs };
  const { storage, refuses, storedBytes } = bound;
  if (storage) return () => storage;
  const { bits, group } = config;
  const grid = row.formats.every(({ name }) => name === "grid");
  const settings = typeof bits === "number" && typeof group === "number" ? { bits, group } : {};
  return (shape) => {
    const why = refuses(shape);
    if (why !== undefined) return why;
    const held = packedStorage({
      ...shape,
      format: grid ? "grid" : "",
      settings,
      bytes: storedBytes(shape),
      inOrder: true,
    });
    return held.type === "packed" ? { ...held, by: { type, config } } : held;
  };
}

/** Packs a matrix as its storage says. A {@link UserError} that names it where it cannot be. */
export async function packWhenRead(
  { by }: PackedStorage,
  matrix: SiteMatrix,
  kernels: Pick<QuantizeContext, "linalg" | "fourBit">,
): Promise<PackedMatrix> {
  const alone = by && rowNamed(quantizers, by.type).bind(by.config).alone;
  if (!alone) throw new InternalError(`${matrix.module} is packed by nothing`);
  try {
    return await alone(matrix, withoutData(kernels));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError({
      code: "cannot-quantize",
      message: `${matrix.module} cannot be quantized: ${error.message}`,
      remedy: "Choose other fields of quantization, or another quantizer.",
      cause: error,
    });
  }
}

function withoutData(kernels: Pick<QuantizeContext, "linalg" | "fourBit">): QuantizeContext {
  const none = (): Promise<never> =>
    Promise.reject(new InternalError("a quantizer without data asked for some"));
  return {
    ...kernels,
    columns: none,
    inputs: none,
    moments: none,
    factor: none,
    gradient: none,
    fisher: none,
    random: () => () => 0.5,
  };
}

export function doesNotFit(type: string, source: string, why: string): Finding {
  return {
    code: "shape-does-not-fit",
    severity: "error",
    message: `quantization: ${type} cannot hold ${source}: ${why}`,
    remedy: "Choose bits and groups that fit.",
  };
}
