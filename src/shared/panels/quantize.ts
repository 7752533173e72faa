/** @file The quantize view: quantizers of one model in a table, and their error matrix by matrix. */
import type { AnalysisDocument } from "../analysis.ts";
import { answers, nothing } from "../channel.ts";
import { count, listOf, object, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";
import { workEvents, workRequests } from "./work.ts";

export interface QuantizeView {
  readonly model: string;
  readonly label: string;
  /** Everything that `spectune quantize --compare` has written for it. */
  readonly documents: readonly AnalysisDocument[];
  readonly working: boolean;
  /** Names of the quantizers that there are. */
  readonly quantizers: readonly string[];
}

export interface QuantizeQuestion {
  /** As the command line takes them: `nf4`, `gptq:3`. */
  readonly quantizers: readonly string[];
  /** Windows of text to calibrate on. */
  readonly samples: number;
}

export const quantizePanel = {
  name: "quantize",
  subject: object<{ readonly model: string }>({ model: text }, {}),
  requests: {
    ...commonRequests,
    ...workRequests,
    load: answers<QuantizeView>().to(nothing),
    /** Measures these quantizers; asks for calibration data where they need some. */
    compare: answers<null>().to(
      object<QuantizeQuestion>({ quantizers: listOf(text), samples: count }, {}),
    ),
  },
  events: workEvents,
} as const satisfies PanelContract;
