/** @file Random starts of trained tensors: the same for a seed and a name, on every machine. */
import { elementCount } from "../../shared/dtypes.ts";
import type { Shape } from "../../shared/dtypes.ts";
import { philox4x32 } from "../data/batches/philox.ts";
import type { Init } from "../methods/define.ts";
import type { Draw } from "./load-weights.ts";

/** Draws under a seed; each name has its own stream. */
export function drawFrom(seed: number): Draw {
  return (name, shape, init, into) => {
    if (init === "zeros" || init === "ones") into.fill(init === "ones" ? 1 : 0);
    else if ("kaimingUniform" in init) uniform(seed, name, kaimingBound(shape, init), into);
    else normal(seed, name, init.normal, into);
  };
}

/** √(6 / ((1 + a²) fanIn)), fanIn being the last axis, as PyTorch's `kaiming_uniform_`. */
function kaimingBound(shape: Shape, { kaimingUniform: a }: Init & { readonly kaimingUniform: number }): number {
  const fanIn = elementCount(shape.slice(1));
  return Math.sqrt(6 / ((1 + a * a) * fanIn));
}

function uniform(seed: number, name: string, bound: number, into: Float32Array): void {
  const stream = hash(name);
  for (let i = 0; i < into.length; i += 4)
    philox4x32([i / 4, 0, 1, 0], [seed, stream]).forEach((word, lane) => {
      if (i + lane < into.length) into[i + lane] = (2 * ((word >>> 8) + 0.5) * 2 ** -24 - 1) * bound;
    });
}

/** The sum of twelve uniform numbers less six: only additions, so that no machine's logarithm matters. */
function normal(seed: number, name: string, deviation: number, into: Float32Array): void {
  const stream = hash(name);
  for (let i = 0; i < into.length; i++) {
    let sum = -6;
    for (let block = 0; block < 3; block++)
      for (const word of philox4x32([i, block, 2, 0], [seed, stream])) sum += ((word >>> 8) + 0.5) * 2 ** -24;
    into[i] = sum * deviation;
  }
}

/** FNV-1a of the name's UTF-16 code units. */
function hash(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
