/** @file Reads the compiled WebAssembly kernels from beside the program. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InternalError } from "../../shared/errors.ts";

type KernelName = "linalg" | "nf4" | "random";

/** Where `dist/kernels` is from a bundle (`dist/<program>/`) and from the sources (`src/engine/runtime/`). */
const places = ["../kernels", "../../../dist/kernels"];

/** The bytes of `dist/kernels/<name>.wasm`, for the kernel's `create…`; {@link InternalError} where it was not built. */
export function kernelBytes(name: KernelName, from: string = import.meta.dirname): Uint8Array {
  const files = places.map((place) => join(from, place, `${name}.wasm`));
  const file = files.find((candidate) => existsSync(candidate));
  if (file === undefined)
    throw new InternalError(
      `the kernel ${name} was not compiled: no ${files.join(", nor ")}; \`npm run build\` makes it`,
    );
  return readFileSync(file);
}
