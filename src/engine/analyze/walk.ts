/** @file All matrices of a source, one after the other: what is done is handed over at once, so that a stop loses nothing. */
import { Cancelled } from "../../shared/errors.ts";
import type { MatrixPair, Progress } from "./source.ts";

export interface WalkOptions {
  /** Stops before the next matrix. */
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
  /** Names of matrices whose records are there already, from a walk that was stopped. */
  readonly done?: ReadonlySet<string>;
}

/** Yields the record of each pair; throws {@link Cancelled} between two once the signal is given. */
export async function* walk<Record>(
  pairs: readonly MatrixPair[],
  make: (pair: MatrixPair) => Promise<Record>,
  { signal, progress, done = new Set() }: WalkOptions = {},
): AsyncGenerator<Record, void, void> {
  const left = pairs.filter(({ name }) => !done.has(name));
  const totalWork = left.reduce((sum, pair) => sum + workOf(pair), 0);
  let work = 0;
  for (const [i, pair] of left.entries()) {
    if (signal?.aborted === true) throw new Cancelled();
    const counted = pairs.length - left.length + i;
    progress?.({ done: counted, total: pairs.length, name: pair.name, work, totalWork });
    yield await make(pair);
    work += workOf(pair);
    // Timers and signals of the process have their turn between matrices.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  progress?.({ done: pairs.length, total: pairs.length, name: "", work: totalWork, totalWork });
}

/** As the cost of an SVD grows; what Krylov spaces cost grows slower, and the measured rate mends it. */
function workOf({ out, in: columns }: MatrixPair): number {
  return out * columns * Math.min(out, columns);
}
