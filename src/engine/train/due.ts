/** @file When something that an experiment asks for `every` so often is due. */
import type { Duration } from "../../shared/schema.ts";

/** Whether it is due after step t of `steps`. Epochs end at the step that completes them. */
export function isDue(
  every: Duration | null,
  t: number,
  steps: number,
  stepsPerEpoch: number,
): boolean {
  if (every === null) return false;
  if (every.unit === "end") return t === steps;
  if (t === steps) return true;
  if (every.unit === "steps") return t % Math.max(1, Math.round(every.count)) === 0;
  const period = every.count * stepsPerEpoch;
  return Math.floor(t / period) > Math.floor((t - 1) / period);
}

/** How often it is due in a run of so many steps. */
export function timesDue(every: Duration | null, steps: number, stepsPerEpoch: number): number {
  if (every === null || steps < 1) return 0;
  if (every.unit === "end") return 1;
  // The last step always; before it, at whole periods.
  const before = steps - 1;
  const period =
    every.unit === "steps"
      ? Math.max(1, Math.round(every.count))
      : Math.max(1, every.count * stepsPerEpoch);
  return 1 + Math.floor(before / period);
}
