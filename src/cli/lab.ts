/** @file Asks the lab for a command: progress with the time left, remarks, and an interrupt that keeps what is done. */
import { askLab } from "../engine/lab/lab-thread.ts";
import type { LabRequest, LabResult } from "../engine/lab/lab-requests.ts";
import type { LookProgress } from "../engine/lab/look.ts";
import type { Console } from "./define.ts";
import { duration } from "./format.ts";
import { findingText } from "./read-file.ts";
import { withStopSignal } from "./stop-signal.ts";

export function ask(request: LabRequest, console: Console): Promise<LabResult> {
  const bar = progressLine(console);
  const work = (signal: AbortSignal) =>
    askLab(request, {
      signal,
      tell(finding) {
        bar.clear();
        console.err(findingText(finding));
      },
      progress: bar.show,
    }).finally(bar.clear);
  return withStopSignal(console, work, "Stopping; matrices that are done are kept");
}

function progressLine(console: Console) {
  let drawn = false;
  return {
    show: ({ done, total, name, left }: LookProgress): void => {
      if (!console.interactive) return;
      const width = 20;
      const full = total === 0 ? width : Math.round((width * done) / total);
      const rest = left === undefined ? "" : `  ${duration(left)} left`;
      const text = `${"█".repeat(full)}${"░".repeat(width - full)} ${done}/${total}${rest}  ${name}`;
      console.err(`\r\u001b[K${text.slice(0, Math.max(20, console.columns - 1))}`);
      drawn = true;
    },
    clear: (): void => {
      if (drawn) console.err("\r\u001b[K");
      drawn = false;
    },
  };
}
