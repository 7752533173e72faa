/** @file Random numbers in bulk, in WebAssembly: each element is a function of stream key and index alone. */
import { instantiate, regions } from "../wasm.ts";
import { multipliers, roundKeys, type StreamKey } from "./philox.ts";
import { domains, keepThreshold } from "./reference.ts";

export { permutation } from "./permutation.ts";
export type { StreamKey } from "./philox.ts";
export { streamKey } from "./stream-key.ts";

/**
 * Fills `into` with elements [first, first + length) of a stream; equal to the functions of the same
 * name in `reference.ts`. Which pieces a stream is drawn in makes no difference.
 */
export interface Random {
  /** Random uint32. */
  words(key: StreamKey, first: number, into: Uint32Array): void;
  /** Uniform float32 in [low, high), multiples of (high - low) / 2^24; in [0, 1) where not given. Rounding may reach `high` where `low` is not 0. */
  uniform(key: StreamKey, first: number, into: Float32Array, low?: number, high?: number): void;
  /** Normal float32 of the given mean and standard deviation; 0 and 1 where not given. */
  normal(
    key: StreamKey,
    first: number,
    into: Float32Array,
    mean?: number,
    deviation?: number,
  ): void;
  /** Bytes 1 with the probability `keepProbability` (resolved to 2^-32), else 0: dropout masks. */
  keepMask(key: StreamKey, first: number, into: Uint8Array, keepProbability: number): void;
}

/** Bytes of random words that are made at a time: they stay in the first-level cache. */
const chunk = 16384;

/** Random fills over a memory of their own. `wasm`: `random.wasm`. */
export function createRandom(wasm: Uint8Array): Random {
  const space = regions();
  const at = { table: space.take(12 * 32), words: space.take(chunk) };
  const kernel = instantiate(wasm, space.bytes);
  const makeWords = kernel.fn("words");
  const table = new Uint32Array(kernel.memory, at.table, 96);
  const staged = {
    uint32: new Uint32Array(kernel.memory, at.words, chunk / 4),
    float32: new Float32Array(kernel.memory, at.words, chunk / 4),
    uint8: new Uint8Array(kernel.memory, at.words, chunk),
  };
  const into = {
    uniform: kernel.fn("uniform"),
    normal: kernel.fn("normal"),
    keep: kernel.fn("keep"),
  };

  function setKey(key: StreamKey): void {
    const entries = [...roundKeys(key).flat(), ...multipliers];
    table.set(entries.flatMap((word) => [word, word, word, word]));
  }

  /** Makes the blocks of one chunk after the other, has them turned into elements, and copies those. */
  function fill<T extends Uint32Array | Float32Array | Uint8Array>(
    key: StreamKey,
    first: number,
    out: T,
    source: T,
    domain: number,
    turn: (blocks: number, firstElement: number) => void,
  ): void {
    if (!Number.isSafeInteger(first) || first < 0)
      throw new RangeError(`A stream's elements count from 0; ${first} is none.`);
    setKey(key);
    const perBlock = 16 / source.BYTES_PER_ELEMENT;
    for (let done = 0; done < out.length;) {
      const index = first + done;
      const firstBlock = Math.floor(index / perBlock);
      const skipped = index % perBlock;
      const count = Math.min(source.length - skipped, out.length - done);
      const blocks = Math.ceil((skipped + count) / perBlock);
      makeWords(at.table, ...halves(firstBlock), 0, domain, Math.ceil(blocks / 8), at.words);
      turn(blocks, firstBlock * perBlock);
      out.set(source.subarray(skipped, skipped + count), done);
      done += count;
    }
  }

  return {
    words(key, first, out) {
      fill(key, first, out, staged.uint32, domains.words, () => undefined);
    },
    uniform(key, first, out, low = 0, high = 1) {
      const range = Math.fround(high - low);
      fill(key, first, out, staged.float32, domains.words, (blocks) =>
        into.uniform(at.words, blocks, low, range),
      );
    },
    normal(key, first, out, mean = 0, deviation = 1) {
      fill(key, first, out, staged.float32, domains.normal, (blocks) =>
        into.normal(at.words, blocks, mean, deviation),
      );
    },
    keepMask(key, first, out, keepProbability) {
      const threshold = keepThreshold(keepProbability);
      if (threshold % 2 ** 32 === 0) {
        out.fill(threshold === 0 ? 0 : 1);
        return;
      }
      const top = threshold >>> 24;
      const rest = threshold & 0xffffff;
      fill(key, first, out, staged.uint8, domains.keep, (blocks, element) =>
        into.keep(at.words, blocks, top, rest, at.table, ...halves(element), 0, domains.ties),
      );
    },
  };
}

/** A whole number's lower and upper 32 bits. */
function halves(index: number): readonly [number, number] {
  return [index >>> 0, Math.floor(index / 2 ** 32)];
}
