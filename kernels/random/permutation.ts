/** @file Random orders, for shuffling. */
import { streamBlock, type StreamKey } from "./philox.ts";
import { domains } from "./reference.ts";

/** A uniformly drawn order of 0 … count - 1 (Fisher and Yates); the same for a key everywhere. */
export function permutation(key: StreamKey, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let block: readonly number[] = [];
  let drawn = 0;
  function word(): number {
    if (drawn % 4 === 0) block = streamBlock(key, drawn / 4, domains.words);
    return block[drawn++ % 4] ?? NaN;
  }
  for (let i = count - 1; i > 0; i--) {
    // Words past the last multiple of the bound are drawn again, so that no place is favoured.
    const bound = i + 1;
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let draw = word();
    while (draw >= limit) draw = word();
    const j = draw % bound;
    const other = order[j] ?? NaN;
    order[j] = order[i] ?? NaN;
    order[i] = other;
  }
  return order;
}
