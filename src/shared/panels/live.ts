/** @file The side view: the curves of chosen runs while they train. */
import { answers, nothing, tells } from "../channel.ts";
import type { CurveChunk } from "../curves.ts";
import type { Evaluation } from "../protocol.ts";
import type { RunHead } from "../run-head.ts";
import { listOf, object, text } from "../wire.ts";
import type { PanelContract, Runs } from "./panel.ts";
import { commonRequests } from "./panel.ts";

/** One run with all that its curves are drawn from. */
export interface LiveRun {
  readonly head: RunHead;
  /** What tells it from the other runs, in few words. */
  readonly label: string;
  readonly curve: CurveChunk;
  readonly evaluations: readonly Evaluation[];
}

export interface LiveView {
  /** The chosen runs. */
  readonly shown: readonly LiveRun[];
  /** Which others there are, newest first. */
  readonly others: readonly { readonly folder: string; readonly label: string }[];
}

const runs = object<Runs>({ runs: listOf(text) }, {});

export const livePanel = {
  name: "live",
  subject: runs,
  requests: {
    ...commonRequests,
    /** All that is shown; events tell what changes from then on. */
    load: answers<LiveView>().to(nothing),
    /** Shows these runs from now on; none follows the newest run that trains. */
    choose: answers<LiveView>().to(runs),
  },
  events: {
    head: tells<RunHead>(),
    curve: tells<{ readonly run: string; readonly chunk: CurveChunk }>(),
    evaluations: tells<{ readonly run: string; readonly evaluations: readonly Evaluation[] }>(),
    /** Other runs are shown, or there are others to choose: load again. */
    changed: tells<null>(),
  },
} as const satisfies PanelContract;
