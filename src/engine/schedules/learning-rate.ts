/** @file Learning-rate schedules: the factor on the base rate at each optimizer step, as transformers defines them. */

/** One row for each schedule; progress p runs from 0 (after warm-up) to 1 (the last step). */
export const learningRateSchedules = {
  constant: {
    doc: "The same rate throughout.",
    equation: "lr(p) = lr",
    use: "Choose it where a run may be stopped early or prolonged: no step depends on how many follow.",
    factor: () => 1,
  },
  linear: {
    doc: "Falls in a straight line to 0.",
    equation: "lr(p) = lr (1 − p), p from 0 after the warm-up to 1 at the last step",
    use: "Choose it for fine-tuning of a known length: the usual choice, and the default.",
    factor: (progress: number) => 1 - progress,
  },
  cosine: {
    doc: "Falls along half a cosine to 0.",
    equation: "lr(p) = lr (1 + cos(π p)) / 2, p from 0 after the warm-up to 1 at the last step",
    use: "Choose it where the rate should stay high for longer before it falls.",
    factor: (progress: number) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  },
} as const satisfies Record<
  string,
  {
    readonly doc: string;
    readonly equation: string;
    readonly use: string;
    readonly factor: (progress: number) => number;
  }
>;

export type ScheduleName = keyof typeof learningRateSchedules;

/**
 * The factor at step t (from 0) of `steps`: rises in a straight line over `warmup` steps, then follows the
 * schedule, as transformers' `get_scheduler`.
 */
export function learningRateFactor(
  schedule: ScheduleName,
  t: number,
  steps: number,
  warmup: number,
): number {
  if (t < warmup) return t / Math.max(1, warmup);
  const progress = Math.min(1, (t - warmup) / Math.max(1, steps - warmup));
  return Math.max(0, learningRateSchedules[schedule].factor(progress));
}

/** Steps of warm-up: below 1 it is a share of all steps, rounded up, as in transformers. */
export function warmupSteps(warmup: number, steps: number): number {
  return warmup < 1 ? Math.ceil(warmup * steps) : Math.floor(warmup);
}

export function isScheduleName(name: string): name is ScheduleName {
  return Object.hasOwn(learningRateSchedules, name);
}
