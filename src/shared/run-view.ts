/** @file The events of a run, reduced to what is shown of it: curves, last values, state, time left. */
import type { Finding } from "./findings.ts";
import type {
  CheckpointSaved,
  Ended,
  Evaluation,
  Outcome,
  Progress,
  RunEvent,
  RunSummary,
  Sample,
  Started,
  Step,
} from "./protocol.ts";

/** A run as its events tell it; whether its process still lives is for the folder to say. */
export interface RunView {
  /** The highest attempt seen; 0 before the first event. */
  readonly attempt: number;
  readonly state: "created" | "running" | Outcome;
  readonly started: Started | undefined;
  /** One point for each step, in order, each from the highest attempt that did it. */
  readonly steps: readonly Step[];
  readonly evaluations: readonly Evaluation[];
  readonly checkpoints: readonly CheckpointSaved[];
  readonly samples: readonly Sample[];
  /** Remarks of the last attempt. */
  readonly findings: readonly Finding[];
  /** What it is doing now, besides steps. */
  readonly progress: Progress | undefined;
  readonly summary: RunSummary | undefined;
  readonly error: Ended["error"] | undefined;
  /** Over all steps that count. */
  readonly tokensPerSecond: number | undefined;
  readonly peakMemoryBytes: number | undefined;
  /** Seconds to the last planned step at the pace of the latest ones; `undefined` when not running. */
  readonly secondsLeft: number | undefined;
}

/** Takes events in the order written and gives the view at any moment. */
export interface RunFold {
  readonly add: (event: RunEvent) => void;
  readonly view: () => RunView;
}

/** The view of a whole run. */
export function foldRun(events: Iterable<RunEvent>): RunView {
  const fold = createRunFold();
  for (const event of events) fold.add(event);
  return fold.view();
}

/**
 * A resumed attempt repeats the steps behind its checkpoint. What earlier attempts wrote of those is
 * dropped as soon as it starts, and lines that a lower attempt writes later are passed over.
 */
export function createRunFold(): RunFold {
  let attempt = 0;
  let state: RunView["state"] = "created";
  let started: Started | undefined;
  let progress: Progress | undefined;
  let summary: RunSummary | undefined;
  let error: Ended["error"] | undefined;
  let findings: Finding[] = [];
  let steps: Step[] = [];
  let evaluations: Evaluation[] = [];
  let checkpoints: CheckpointSaved[] = [];
  let samples: Sample[] = [];

  const begin = ({ resumedFrom = -1 }: Started) => {
    const stands = ({ step }: { readonly step: number }) => step <= resumedFrom;
    steps = steps.filter(stands);
    evaluations = evaluations.filter(stands);
    checkpoints = checkpoints.filter(stands);
    samples = samples.filter(stands);
    findings = [];
    progress = summary = error = undefined;
    state = "running";
  };

  return {
    add: (event) => {
      if (event.attempt < attempt) return;
      attempt = event.attempt;
      switch (event.type) {
        case "started":
          started = event;
          begin(event);
          break;
        case "step":
          while ((steps[steps.length - 1]?.step ?? 0) >= event.step) steps.pop();
          steps.push(event);
          progress = undefined;
          break;
        case "eval":
          replace(
            evaluations,
            event,
            ({ step, split, moment }) =>
              step === event.step && split === event.split && moment === event.moment,
          );
          break;
        case "checkpoint":
          replace(checkpoints, event, ({ step }) => step === event.step);
          break;
        case "analysis":
          break;
        case "sample":
          replace(
            samples,
            event,
            ({ step, prompt }) => step === event.step && prompt === event.prompt,
          );
          break;
        case "finding":
          findings.push(event.finding);
          break;
        case "progress":
          progress = event;
          break;
        case "ended":
          ({ summary, error } = event);
          state = event.summary.status;
          progress = undefined;
          break;
        case "log":
          break;
      }
    },
    view: () => ({
      attempt,
      state,
      started,
      steps: [...steps],
      evaluations: [...evaluations],
      checkpoints: [...checkpoints],
      samples: [...samples],
      findings: [...findings],
      progress,
      summary,
      error,
      tokensPerSecond: pace(steps),
      peakMemoryBytes:
        steps.length === 0
          ? undefined
          : steps.reduce((peak, { memoryBytes }) => Math.max(peak, memoryBytes), 0),
      secondsLeft: state === "running" ? timeLeft(steps, started) : undefined,
    }),
  };
}

/** Appends `item` in the place of an earlier one that is the same. */
function replace<T>(list: T[], item: T, same: (other: T) => boolean): void {
  const index = list.findLastIndex(same);
  if (index >= 0) list.splice(index, 1);
  list.push(item);
}

function pace(steps: readonly Step[]): number | undefined {
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  return seconds > 0 ? steps.reduce((sum, step) => sum + step.tokens, 0) / seconds : undefined;
}

/** The pace is the median of so many last steps: one slow step (a checkpoint, a nap) does not count. */
const pacedSteps = 21;

function timeLeft(steps: readonly Step[], started: Started | undefined): number | undefined {
  const last = steps[steps.length - 1];
  if (last === undefined || started === undefined) return undefined;
  const seconds = steps.slice(-pacedSteps).map((step) => step.seconds);
  const median = seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)];
  return median === undefined ? undefined : Math.max(0, started.plan.steps - last.step) * median;
}
