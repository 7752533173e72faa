/** @file ONNX Runtime's arena, replayed: how many bytes of memory a sequence of allocations touches. */
import { at, invariant } from "../../shared/errors.ts";

/** A place in the arena; given back to {@link Arena.free}. */
export interface Chunk {
  readonly region: number;
  readonly start: number;
  size: number;
  free: boolean;
}

export interface Arena {
  allocate(bytes: number): Chunk;
  free(chunk: Chunk): void;
  /**
   * Bytes that are resident: those that were ever handed out. A region of at most `heapBytes` counts whole: the
   * C library takes it from its heap, of memory that was in use before.
   */
  resident(heapBytes: number): number;
}

/** Sizes are multiples of this. */
const grain = 256;
/** The first region; each later one doubles. */
const firstRegion = 1 << 20;
/** A region is doubled no further. */
const largestRegion = 2 ** 30;
/** A chunk with so much to spare is cut, however large it is. */
const spareBytes = 2 ** 27;

interface Region {
  readonly size: number;
  /** In order of their places. */
  readonly chunks: Chunk[];
  readonly touched: { readonly start: number; readonly end: number }[];
}

/**
 * A best-fit allocator with coalescing whose regions grow by powers of two, as `BFCArena` of ONNX Runtime 1.30 is
 * with its default settings, which the Node binding can't change. Nothing is given back while a session lives.
 */
export function newArena(): Arena {
  const regions: Region[] = [];
  let nextRegion = firstRegion;

  const extend = (bytes: number): Chunk => {
    let doubled = false;
    while (bytes > nextRegion) {
      nextRegion *= 2;
      doubled = true;
    }
    const chunk: Chunk = { region: regions.length, start: 0, size: nextRegion, free: true };
    regions.push({ size: nextRegion, chunks: [chunk], touched: [] });
    if (!doubled && 2 * nextRegion < largestRegion) nextRegion *= 2;
    return chunk;
  };
  const bestFit = (bytes: number): Chunk | undefined => {
    let best: Chunk | undefined;
    for (const { chunks } of regions)
      for (const chunk of chunks)
        if (chunk.free && chunk.size >= bytes && (best === undefined || chunk.size < best.size))
          best = chunk;
    return best;
  };

  return {
    allocate(bytes) {
      const size = Math.max(1, Math.ceil(bytes / grain)) * grain;
      const chunk = bestFit(size) ?? extend(size);
      const { chunks, touched } = at(regions, chunk.region);
      const spare = chunk.size - size;
      if (chunk.size >= 2 * size || spare >= spareBytes) {
        const rest = { ...chunk, start: chunk.start + size, size: spare, free: true };
        chunks.splice(chunks.indexOf(chunk) + 1, 0, rest);
        chunk.size = size;
      }
      chunk.free = false;
      touched.push({ start: chunk.start, end: chunk.start + size });
      return chunk;
    },
    free(chunk) {
      invariant(!chunk.free, "a chunk is freed twice");
      chunk.free = true;
      const { chunks } = at(regions, chunk.region);
      const index = chunks.indexOf(chunk);
      const next = chunks[index + 1];
      if (next?.free === true) {
        chunk.size += next.size;
        chunks.splice(index + 1, 1);
      }
      const before = chunks[index - 1];
      if (before?.free !== true) return;
      before.size += chunk.size;
      chunks.splice(index, 1);
    },
    resident: (heapBytes) =>
      regions.reduce(
        (sum, { size, touched }) => sum + (size <= heapBytes ? size : union(touched)),
        0,
      ),
  };
}

function union(ranges: Region["touched"]): number {
  let [sum, end] = [0, 0];
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    sum += Math.max(0, range.end - Math.max(range.start, end));
    end = Math.max(end, range.end);
  }
  return sum;
}
