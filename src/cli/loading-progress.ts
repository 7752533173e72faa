/** @file Tells on a terminal how much of the weights is read. */
import type { Console } from "./define.ts";
import { percent } from "./format.ts";

export interface LoadingProgress {
  /** `note` stands behind the share. */
  readonly update: (done: number, total: number, note?: string) => void;
  /** Ends the line. */
  readonly close: () => void;
}

export function loadingProgress(console: Console, what = "reading weights"): LoadingProgress {
  let drawn = false;
  return {
    update(done, total, note) {
      if (!console.interactive || total === 0) return;
      const after = note === undefined ? "" : `  ${note}`;
      console.err(`\r\u001b[K${what} ${percent(done / total)}${after}`);
      drawn = true;
    },
    close() {
      if (drawn) console.err("\r\u001b[K");
    },
  };
}
