/** @file The greatest memory that the process held since it was told to begin anew. */
import { readFileSync, writeFileSync } from "node:fs";

export interface PeakMemory {
  /** Counts from now on. */
  reset(): void;
  /** Bytes. Where the kernel cannot be asked, the greatest of all calls: between two it is not seen. */
  bytes(): number;
}

export function peakMemory(): PeakMemory {
  let seen = 0;
  let kernelCounts = false;
  const bytes = (): number => {
    const now = (kernelCounts ? highWater() : undefined) ?? process.memoryUsage.rss();
    seen = Math.max(seen, now);
    return seen;
  };
  return {
    reset() {
      kernelCounts = forgotten();
      seen = 0;
      bytes();
    },
    bytes,
  };
}

/** Linux counts the high-water mark anew for whoever writes a 5 there. */
function forgotten(): boolean {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
    return true;
  } catch {
    return false;
  }
}

function highWater(): number | undefined {
  try {
    const [, kilobytes] =
      /^VmHWM:\s+(\d+) kB/mu.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}
