/** @file Tells how far a quantization is, and how much time is left. */
import type { QuantizeProgress } from "../engine/quantize/quantize-model.ts";
import type { Console } from "./define.ts";
import { duration } from "./format.ts";

export interface ProgressLine {
  readonly update: (progress: QuantizeProgress) => void;
  /** Ends the line. */
  readonly close: () => void;
}

/** Of the first layer: before so much of it is done nobody can say how long it takes. */
const enough = 0.25;

/** On a terminal one line that changes, elsewhere a line for each layer. `now` counts milliseconds. */
export function quantizeProgress(console: Console, now: () => number): ProgressLine {
  let told = "";
  let drawn = false;
  const left = timeLeft(now);
  return {
    update(progress) {
      if (!progress.search && progress.layer < progress.resumedFrom) return;
      const time = left(progress);
      const ends = time === undefined ? "" : `  ${time}`;
      const { text, detail } = wordsOf(progress);
      if (console.interactive) {
        console.err(
          `\r\u001b[K${`${text}${detail}${ends}`.slice(0, Math.max(20, console.columns - 1))}`,
        );
        drawn = true;
        return;
      }
      // Of the first layer twice: once it begins, and once there is an estimate.
      const key = `${text} ${time?.startsWith("about") ?? false}`;
      if (key === told) return;
      told = key;
      console.err(`${text}${ends}\n`);
    },
    close() {
      if (drawn) console.err("\r\u001b[K");
    },
  };
}

function wordsOf(progress: QuantizeProgress): { readonly text: string; readonly detail: string } {
  if (progress.search) {
    const { what, done, of } = progress.search;
    return { text: `trying ${what} ${done + 1}/${of}`, detail: "" };
  }
  const { layer, layers, module } = progress;
  return {
    text: `layer ${layer + 1}/${layers}`,
    detail: module === undefined ? "" : `  ${module}`,
  };
}

/** From what was done since the first call of its kind: whole layers where there are some, else the share of the first. */
function timeLeft(now: () => number): (progress: QuantizeProgress) => string | undefined {
  let kind = "";
  let first = { at: 0, done: 0 };
  return (progress) => {
    const { search } = progress;
    const whole = search ? search.done : progress.layer;
    const all = search ? search.of : progress.layers;
    const done = search ? whole : whole + progress.share;
    if (kind !== (search?.what ?? "layer")) {
      kind = search?.what ?? "layer";
      first = { at: now(), done: whole };
    }
    const since = done - first.done;
    if (since < enough) return undefined;
    const seconds = ((now() - first.at) / 1000 / since) * (all - done);
    const rough = whole === first.done ? "about " : "";
    return `${rough}${duration(seconds)} left${search ? " of trying" : ""}`;
  };
}
