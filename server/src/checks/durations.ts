/** @file Fields that say how often something happens, in steps. */
import type { Experiment } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import type { Duration } from "../../../src/shared/schema.ts";

/** Steps from one time to the next; a run's length for `end`. */
export function inSteps(every: Duration, stepsPerEpoch: number, steps: number): number {
  if (every.unit === "end") return steps;
  return every.unit === "steps" ? every.count : Math.ceil(every.count * stepsPerEpoch);
}

/** The rhythms of an experiment with their paths. */
export function rhythms({ eval: measured, checkpoints, analyze }: Experiment): readonly {
  readonly path: string;
  readonly every: Duration;
  readonly what: string;
}[] {
  return [
    { path: "eval.every", every: measured.every, what: "Nothing is measured" },
    { path: "checkpoints.every", every: checkpoints.every, what: "No checkpoint is written" },
    ...(analyze.spectra === null
      ? []
      : [{ path: "analyze.spectra", every: analyze.spectra, what: "No spectrum is computed" }]),
    ...(analyze.intruders === null
      ? []
      : [
          {
            path: "analyze.intruders.every",
            every: analyze.intruders.every,
            what: "No intruders are counted",
          },
        ]),
  ];
}
