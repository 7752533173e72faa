/** @file bitsandbytes' 4-bit blocks by the compiled kernel, opened once for each code book and size of blocks. */
import type { Nf4 } from "../../../../kernels/nf4/index.ts";
import { createNf4, fp4CodeBook, nf4CodeBook } from "../../../../kernels/nf4/index.ts";
import type { BlockCodes } from "../../../../kernels/nf4/index.ts";

export interface FourBitBlocks {
  readonly type: "nf4" | "fp4";
  readonly blockSize: number;
}

/** Codes in pairs and a scale for each block of the values, row after row; RangeError for NaN and infinities. */
export type FourBitEncoder = (values: Float32Array, blocks: FourBitBlocks) => BlockCodes;

const books = { nf4: nf4CodeBook, fp4: fp4CodeBook } as const;

/** `wasm` gives the bytes of `nf4.wasm` where they are first needed. */
export function fourBitEncoder(wasm: () => Uint8Array): FourBitEncoder {
  const opened = new Map<string, Nf4>();
  return (values, { type, blockSize }) => {
    const key = `${type} ${blockSize}`;
    const kernel =
      opened.get(key) ??
      createNf4(wasm(), { scratchElements: 0, blockSize, codeBook: books[type] });
    opened.set(key, kernel);
    const made = kernel.quantize(values);
    if (made.kind === "quantized") return made;
    const { index } = made;
    throw new RangeError(`Weight ${index} is ${values[index]}, not a finite number.`);
  };
}
