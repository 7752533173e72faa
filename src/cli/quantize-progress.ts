/** @file Tells how far a quantization is, and how much time is left. */
import type { LayerProgress } from "../engine/quantize/quantize-layers.ts";
import type { Console } from "./define.ts";
import { duration } from "./format.ts";

export interface QuantizeProgress {
  readonly update: (progress: LayerProgress & { readonly resumedFrom: number }) => void;
  /** Ends the line. */
  readonly close: () => void;
}

/** On a terminal one line that changes, elsewhere a line for each layer. `now` counts milliseconds. */
export function quantizeProgress(console: Console, now: () => number): QuantizeProgress {
  let first: { readonly at: number; readonly layer: number } | undefined;
  let told = -1;
  let drawn = false;
  return {
    update({ layer, layers, module, resumedFrom }) {
      if (layer < resumedFrom) return;
      first ??= { at: now(), layer };
      const done = layer - first.layer;
      const left = done === 0 ? undefined : ((now() - first.at) / 1000 / done) * (layers - layer);
      const text = `layer ${layer + 1}/${layers}${module === undefined ? "" : `  ${module}`}${left === undefined ? "" : `  ${duration(left)} left`}`;
      if (console.interactive) {
        console.err(`\r\u001b[K${text.slice(0, Math.max(20, console.columns - 1))}`);
        drawn = true;
      } else if (layer !== told) {
        told = layer;
        console.err(`${text}\n`);
      }
    },
    close() {
      if (drawn) console.err("\r\u001b[K");
    },
  };
}
