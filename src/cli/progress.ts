/** @file Shows a run's events on the console: a bar with the time left on a terminal, lines elsewhere. */
import type { EventBody } from "../shared/protocol.ts";
import type { Console } from "./define.ts";
import { bytes, count, duration, figure, percent } from "./format.ts";
import { findingText } from "./read-file.ts";

/** Takes a run's events one after the other. */
export interface ProgressView {
  event(event: EventBody): void;
  /** Ends the bar's line. */
  close(): void;
}

/** Without a terminal, every so many steps are told. */
const linesPerRun = 20;

export function createProgress(console: Console): ProgressView {
  let steps = 0;
  let seconds = 0;
  let done = 0;
  let drawn = false;
  /** How far the work was that was told of last, without a terminal: each time it is twice as far. */
  let told: number | undefined;
  const clear = (): void => {
    if (drawn) console.err("\r\u001b[K");
    drawn = false;
  };
  const line = (text: string): void => {
    clear();
    console.err(`${text}\n`);
  };
  const draw = (text: string): void => {
    console.err(`\r\u001b[K${text.slice(0, Math.max(20, console.columns - 1))}`);
    drawn = true;
  };
  return {
    event(event) {
      switch (event.type) {
        case "started":
          steps = event.plan.steps;
          line(
            `${count(event.plan.trainableParameters)} of ${count(event.plan.totalParameters)} parameters train (${percent(event.plan.trainableParameters / event.plan.totalParameters)}); ` +
              `${count(steps)} step${steps === 1 ? "" : "s"}, about ${bytes(event.plan.peakMemoryBytes)} of memory, on ${event.device.chosen}${event.resumedFrom === undefined ? "" : `, from step ${event.resumedFrom}`}. ${event.device.reason}`,
          );
          return;
        case "step": {
          done++;
          seconds += event.seconds;
          const left = (seconds / done) * (steps - event.step);
          const { penalty } = event.metrics ?? {};
          const added = penalty === undefined ? "" : `  penalty ${figure(penalty)}`;
          const text = `step ${event.step}/${steps}  loss ${figure(event.loss)}${added}  lr ${event.lr.toExponential(1)}  ${count(Math.round(event.tokensPerSecond))} tok/s  ${duration(left)} left`;
          if (console.interactive) draw(`${bar(event.step / steps)} ${text}`);
          else if (
            event.step === steps ||
            event.step % Math.max(1, Math.ceil(steps / linesPerRun)) === 0
          )
            line(text);
          return;
        }
        case "eval": {
          const values = Object.entries(event.metrics).map(
            ([name, value]) => `${name} ${figure(value)}`,
          );
          line(
            `${event.split} ${event.moment === "during" ? `after step ${event.step}` : event.moment}: ${values.join("  ")}  (${count(event.examples)} examples, ${duration(event.seconds)})`,
          );
          return;
        }
        case "checkpoint":
          line(
            `checkpoint ${event.folder} (${bytes(event.bytes)}${event.best === true ? ", best so far" : ""})`,
          );
          return;
        case "progress": {
          const { phase, done: soFar, total, detail } = event;
          if (console.interactive && total !== undefined) draw(`${phase} ${bar(soFar / total)}`);
          else if (console.interactive && detail !== undefined) draw(detail);
          else if (detail !== undefined && (told === undefined || soFar > 2 * told)) {
            told = soFar;
            line(detail);
          }
          return;
        }
        case "finding":
          clear();
          console.err(findingText(event.finding));
          return;
        case "log":
          line(event.message);
          return;
        case "analysis":
          line(
            `${event.kind} after step ${event.step}: ${Object.entries(event.metrics)
              .map(
                ([name, value]) =>
                  `${name} ${Number.isInteger(value) ? count(value) : figure(value)}`,
              )
              .join("  ")}  (${duration(event.seconds)})`,
          );
          return;
        case "sample":
        case "ended":
          return;
      }
    },
    close: clear,
  };
}

function bar(share: number): string {
  const width = 20;
  const full = Math.round(width * Math.min(1, Math.max(0, share)));
  return `${"█".repeat(full)}${"░".repeat(width - full)}`;
}
