/** @file Double quantization: the float32 scales of the blocks, themselves kept in 8 bits. */
import { cascadeSum } from "./cascade-sum.ts";

/** Scales as `map[code] · absmax[block of 256] + offset`, 8.127 bits each. */
export interface NestedScales {
  /** [blocks] */
  readonly codes: Uint8Array;
  /** [blocks / 256, rounded up] */
  readonly absmax: Float32Array;
  /** The mean of the scales, subtracted before they were quantized; a float32. */
  readonly offset: number;
}

/** Scales that share one nested scale. */
export const nestedBlock = 256;

/**
 * The signed dynamic 8-bit map, 256 ascending float32 values in (-1, 1] (Dettmers: 8-Bit
 * Approximations for Parallelism in Deep Learning, 2015, https://arxiv.org/abs/1511.04561): for
 * each i = 0 … 6 the middles of 2^i equal parts of [0.1, 1], times 10^(i-6), of both signs; and 0
 * and 1. Each operation rounds to float32, as it does in bitsandbytes.
 */
export const dynamicMap: Float32Array = makeDynamicMap();

function makeDynamicMap(): Float32Array {
  const values = [0, 1];
  for (let i = 0; i < 7; i++) {
    const edges = linspace(0.1, 1, 2 ** i + 1);
    const power = Math.fround(10 ** (i - 6));
    for (let j = 0; j < 2 ** i; j++) {
      const sum = Math.fround((edges[j] ?? NaN) + (edges[j + 1] ?? NaN));
      const value = Math.fround(power * Math.fround(sum / 2));
      values.push(value, -value);
    }
  }
  return Float32Array.from(values.sort((a, b) => a - b));
}

/**
 * `count` float32 values from `start` to `end`, the upper half counted down from the end; product
 * and sum are rounded once, as by PyTorch's fused multiply-add.
 */
function linspace(start: number, end: number, count: number): readonly number[] {
  const first = Math.fround(start);
  const step = Math.fround(Math.fround(end - first) / (count - 1));
  return Array.from({ length: count }, (_, i) =>
    Math.fround(i < count / 2 ? first + step * i : end - step * (count - 1 - i)),
  );
}

const dynamicMidpoints = dynamicMap
  .slice(1)
  .map((upper, i) => Math.fround(Math.fround((dynamicMap[i] ?? NaN) + upper) / 2));

/**
 * Quantizes scales; codes follow the midpoint rule. (bitsandbytes' native CPU code looks a value's
 * code up in 65,536 steps of [-1, 1] instead and differs from its own CUDA and PyTorch code for the
 * map's smallest values; this is the latter's rule.)
 */
export function nestScales(absmax: Float32Array, offset: number = mean(absmax)): NestedScales {
  const codes = new Uint8Array(absmax.length);
  const nested = new Float32Array(Math.ceil(absmax.length / nestedBlock));
  for (let block = 0; block < nested.length; block++) {
    const first = block * nestedBlock;
    const last = Math.min(first + nestedBlock, absmax.length);
    let top = 0;
    for (let i = first; i < last; i++)
      top = Math.max(top, Math.abs(Math.fround((absmax[i] ?? NaN) - offset)));
    nested[block] = top;
    const inverse = Math.fround(1 / Math.max(top, Math.fround(1e-38)));
    for (let i = first; i < last; i++) {
      const centred = Math.fround((absmax[i] ?? NaN) - offset);
      codes[i] = rank(dynamicMidpoints, Math.fround(centred * inverse));
    }
  }
  return { codes, absmax: nested, offset };
}

/** The scales again: `[blocks]` float32. */
export function unnestScales({ codes, absmax, offset }: NestedScales): Float32Array {
  return Float32Array.from(codes, (code, i) => {
    const value = Math.fround((dynamicMap[code] ?? NaN) * (absmax[i >> 8] ?? NaN));
    return value + offset;
  });
}

/** The mean in float32, as PyTorch rounds it. */
function mean(values: Float32Array): number {
  return values.length === 0 ? 0 : Math.fround(cascadeSum(values) / values.length);
}

/** How many of the ascending `midpoints` lie strictly below `y`. */
function rank(midpoints: Float32Array, y: number): number {
  let low = 0;
  let high = midpoints.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((midpoints[middle] ?? NaN) < y) low = middle + 1;
    else high = middle;
  }
  return low;
}
