/** @file Instantiates a WebAssembly kernel over a memory of fixed size, and divides that memory. */

/** A function of a kernel: numbers in, a number out (nothing reads as 0). */
export type KernelFunction = (...operands: number[]) => number;

/** A kernel in its memory. */
export interface KernelInstance {
  readonly memory: ArrayBuffer;
  /** The exported function of that name. */
  fn(name: string): KernelFunction;
}

/** The part of the WebAssembly JavaScript interface in use; the language's own libraries declare it for browsers alone. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, object>>>>,
  ) => { readonly exports: Readonly<Record<string, KernelFunction | undefined>> };
};

const pageBytes = 65536;
const largestMemory = 65536 * pageBytes;

/**
 * A kernel over `bytes` bytes of zeroed memory that can never grow, so that typed arrays over it
 * stay valid for good. Pages that are never touched cost no physical memory.
 */
export function instantiate(wasm: Uint8Array, bytes: number): KernelInstance {
  if (bytes > largestMemory)
    throw new RangeError(`A kernel's memory ends at 4 GiB; ${bytes} bytes were asked for.`);
  const pages = Math.max(1, Math.ceil(bytes / pageBytes));
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
  return {
    memory: memory.buffer,
    fn: (name) => namedFunction(exports, name),
  };
}

/** Hands out regions of a memory one after the other, each at a multiple of 64 bytes. */
export function regions(): { take(bytes: number): number; readonly bytes: number } {
  // Address 0 stays free: a pointer of 0 is always a mistake.
  let next = 64;
  return {
    take: (bytes) => {
      const start = next;
      next += Math.ceil(bytes / 64) * 64;
      return start;
    },
    get bytes() {
      return next;
    },
  };
}

/** A kernel in a memory that grows up to a limit, for work whose size is known only when it comes. */
export interface GrowingKernel {
  /** The memory now; typed arrays over it are void after {@link GrowingKernel.reserve} made it larger. */
  readonly memory: ArrayBuffer;
  /** Makes the memory at least `bytes` long; RangeError above the limit. What is in it stays. */
  reserve(bytes: number): void;
  readonly fn: (name: string) => KernelFunction;
}

/** A kernel over a memory of at most `maxBytes` bytes, which begins small. */
export function instantiateGrowing(wasm: Uint8Array, maxBytes: number): GrowingKernel {
  if (!(maxBytes >= pageBytes && maxBytes <= largestMemory))
    throw new RangeError(`A kernel's memory has 64 KiB to 4 GiB, not ${maxBytes} bytes.`);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: Math.floor(maxBytes / pageBytes) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
  return {
    get memory() {
      return memory.buffer;
    },
    reserve: (bytes) => {
      if (bytes > maxBytes)
        throw new RangeError(`${bytes} bytes are needed, but the memory ends at ${maxBytes}.`);
      const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
      if (missing > 0) memory.grow(missing);
    },
    fn: (name) => namedFunction(exports, name),
  };
}

function namedFunction(
  exports: Readonly<Record<string, KernelFunction | undefined>>,
  name: string,
): KernelFunction {
  const found = exports[name];
  if (found === undefined) throw new TypeError(`The kernel has no function ${name}.`);
  return found;
}
