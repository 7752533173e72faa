/** @file The frozen weights as programs read them: views of what the host holds, or copies that crossed to a device once. */
import { invariant } from "../../shared/errors.ts";
import type { Backend, DeviceTensor, Program } from "../runtime/backend.ts";
import type { BaseWeights, HeldTensor, PackedBlocks, PackedNF4 } from "./base-weights.ts";
import type { Buffers } from "./buffers.ts";
import { codeWords, nf4Decoding } from "./decode-nf4.ts";
import type { ProgramCache } from "./program-cache.ts";

/** Frozen tensors by the name of their source. */
export interface FrozenTensors {
  /** One that is held in float32. */
  plain(source: string): DeviceTensor;
  /** NF4 codes uint8 [⌈n/2⌉]. */
  codes(source: string): DeviceTensor;
  /** NF4 scales float32 [⌈n/blockSize⌉] for a program's input; on the host valid until that input's next ones. */
  absmax(source: string, input: string): DeviceTensor;
  /** Codes, scales or zeros of a packed matrix that an operator multiplies by [out, …]. */
  block(source: string, array: keyof PackedBlocks): DeviceTensor;
  /** Squares of the rows' norms [out] of a matrix as it is held. */
  rowNorms2(source: string): DeviceTensor;
  /** Expanded to float32 in memory that the next call may overwrite. */
  decoded(source: string): Promise<DeviceTensor>;
}

export interface FrozenSources {
  readonly backend: Backend;
  readonly cache: ProgramCache;
  readonly base: BaseWeights;
  readonly buffers: Buffers;
}

export function createFrozenTensors(sources: FrozenSources): FrozenTensors {
  return sources.backend.sharesMemory ? onHost(sources) : onDevice(sources);
}

function onHost({ backend, base, buffers }: FrozenSources): FrozenTensors {
  const once = remembering(backend, base);
  return {
    plain: (source) => once(source, "plain", () => plain(backend, base, source)),
    codes: (source) =>
      once(source, "codes", () => {
        const { codes } = packedOf(base, source);
        return backend.upload("uint8", [codes.length], codes);
      }),
    absmax(source, input) {
      const packed = packedOf(base, source);
      // Memory that all layers share: they run one after the other.
      return buffers.write(input, "float32", [scaleCount(packed)], (data) => {
        if (data instanceof Float32Array) packed.absmax(data);
      });
    },
    block: (source, array) => once(source, array, () => block(backend, base, source, array)),
    rowNorms2: (source) => once(source, "norms", () => rowNorms2(backend, base, source)),
    decoded: (source) =>
      Promise.resolve(backend.upload("float32", base.get(source).shape, base.decode(source))),
  };
}

/** Packed weights stay packed on the device too; each is expanded there, by a program. */
function onDevice({ backend, cache, base, buffers }: FrozenSources): FrozenTensors {
  const once = remembering(backend, base);
  const programs = new Map<string, Promise<Program>>();
  /** Codes padded to whole words. */
  const words = (source: string): DeviceTensor =>
    once(source, "words", () => {
      const { codes, count } = packedOf(base, source);
      const padded = new Uint32Array(codeWords(count));
      new Uint8Array(padded.buffer).set(codes);
      return backend.upload("uint32", [padded.length, 1], padded);
    });
  const absmax = (source: string): DeviceTensor =>
    once(source, "absmax", () => {
      const packed = packedOf(base, source);
      const scales = new Float32Array(scaleCount(packed));
      packed.absmax(scales);
      return backend.upload("float32", [scales.length], scales);
    });
  return {
    plain: (source) => once(source, "plain", () => plain(backend, base, source)),
    codes: (source) =>
      once(source, "codes", () =>
        backend.view(words(source), "uint8", [packedOf(base, source).codes.length]),
      ),
    absmax,
    block: (source, array) => once(source, array, () => block(backend, base, source, array)),
    rowNorms2: (source) => once(source, "norms", () => rowNorms2(backend, base, source)),
    async decoded(source) {
      const { shape, type } = base.get(source);
      if (type === "packed") {
        const crossed = backend.upload("float32", shape, base.decode(source));
        buffers.keep("decoded", crossed);
        return crossed;
      }
      const { blockSize } = packedOf(base, source);
      const key = `${shape.join()} ${blockSize}`;
      const program = programs.get(key) ?? cache.compile(nf4Decoding(shape, blockSize));
      programs.set(key, program);
      const scales = absmax(source);
      const column = backend.view(scales, "float32", [...scales.shape, 1]);
      const feeds = new Map([
        ["codes", words(source)],
        ["absmax", column],
      ]);
      const weight = (await (await program).run(feeds)).get("weight");
      invariant(weight, `${source} was not decoded`);
      buffers.keep("decoded", weight);
      return weight;
    },
  };
}

/** Makes a source's tensor of some kind the first time, and again when another weight was put in its place. */
function remembering(
  backend: Backend,
  base: BaseWeights,
): (source: string, kind: string, make: () => DeviceTensor) => DeviceTensor {
  const made = new Map<string, { readonly of: HeldTensor; readonly tensor: DeviceTensor }>();
  return (source, kind, make) => {
    const key = `${kind} of ${source}`;
    const of = base.get(source);
    const known = made.get(key);
    if (known?.of === of) return known.tensor;
    if (known && !backend.sharesMemory) backend.release(known.tensor);
    const tensor = make();
    made.set(key, { of, tensor });
    return tensor;
  };
}

function plain(backend: Backend, base: BaseWeights, source: string): DeviceTensor {
  const held = base.get(source);
  invariant(held.type === "float32", `${source} is held in ${held.type}`);
  return backend.upload("float32", held.shape, held.data);
}

function block(
  backend: Backend,
  base: BaseWeights,
  source: string,
  array: keyof PackedBlocks,
): DeviceTensor {
  const held = base.get(source);
  const blocks = held.type === "packed" ? held.packed.blocks : undefined;
  invariant(blocks, `${source} is not held in blocks`);
  const [rows = 1] = held.shape;
  const data = blocks[array];
  const dtype = data instanceof Float32Array ? "float32" : "uint8";
  return backend.upload(dtype, [rows, data.length / rows], data);
}

function rowNorms2(backend: Backend, base: BaseWeights, source: string): DeviceTensor {
  const [rows = 1, width = 1] = base.get(source).shape;
  const W = base.decode(source);
  const squares = Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (const value of W.subarray(row * width, (row + 1) * width)) sum += value * value;
    return sum;
  });
  return backend.upload("float32", [rows], squares);
}

function packedOf(base: BaseWeights, source: string): PackedNF4 {
  const held = base.get(source);
  invariant(held.type === "nf4", `${source} is not held in NF4`);
  return held.packed;
}

function scaleCount({ count, blockSize }: PackedNF4): number {
  return Math.ceil(count / blockSize);
}
