/** @file The compare panel: runs side by side, their curves, what differs, figures with intervals. */
import { answers, nothing, tells } from "../channel.ts";
import type { Comparison } from "../comparison.ts";
import type { CurveChunk } from "../curves.ts";
import { listOf, object, text } from "../wire.ts";
import type { LiveRun } from "./live.ts";
import type { PanelContract, Runs } from "./panel.ts";
import { commonRequests } from "./panel.ts";

export interface CompareView {
  readonly runs: readonly LiveRun[];
  /** What `spectune compare --json` says of the same runs; absent, with the reason, where it refuses them. */
  readonly comparison?: Comparison;
  readonly refusal?: string;
}

const runs = object<Runs>({ runs: listOf(text) }, {});

export const comparePanel = {
  name: "compare",
  subject: runs,
  requests: {
    ...commonRequests,
    load: answers<CompareView>().to(nothing),
    /** Shows other runs. */
    choose: answers<CompareView>().to(runs),
  },
  events: {
    curve: tells<{ readonly run: string; readonly chunk: CurveChunk }>(),
    /** A run ended or was measured again: load. */
    changed: tells<null>(),
  },
} as const satisfies PanelContract;
