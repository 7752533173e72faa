/** @file The quantize view: quantizers of one model in a table, and their error matrix by matrix. */
import type { AnalysisArray, AnalysisDocument, WorkEnd, WorkProgress } from "../analysis.ts";
import { answers, nothing, tells } from "../channel.ts";
import { listOf, object, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";
import type { ArrayPlace } from "./spectra.ts";

export interface QuantizeView {
  readonly model: string;
  readonly label: string;
  /** Everything that `spectune quantize --compare` has written for it. */
  readonly documents: readonly AnalysisDocument[];
  readonly working: boolean;
  /** Names of the quantizers that there are. */
  readonly quantizers: readonly string[];
}

export const quantizePanel = {
  name: "quantize",
  subject: object<{ readonly model: string }>({ model: text }, {}),
  requests: {
    ...commonRequests,
    load: answers<QuantizeView>().to(nothing),
    array: answers<AnalysisArray>().to(object<ArrayPlace>({ file: text, tensor: text }, {})),
    /** Measures these quantizers; asks for calibration data where they need some. */
    compare: answers<null>().to(
      object<{ readonly quantizers: readonly string[] }>({ quantizers: listOf(text) }, {}),
    ),
    cancel: answers<null>().to(nothing),
  },
  events: {
    progress: tells<WorkProgress>(),
    ended: tells<WorkEnd>(),
    changed: tells<null>(),
  },
} as const satisfies PanelContract;
