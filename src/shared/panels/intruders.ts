/** @file The intruder panel: counts by layer, thresholds that answer at once, mitigation with its measured effect. */
import type { AnalysisDocument, AnalysisSource } from "../analysis.ts";
import { analysisSource } from "../analysis.ts";
import { answers, nothing } from "../channel.ts";
import { flag, object, oneOf, real, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";
import { workEvents, workRequests } from "./work.ts";

export interface IntrudersView {
  readonly source: AnalysisSource;
  readonly label: string;
  /** Everything that `spectune intruders` and `spectune mitigate` have written for it. */
  readonly documents: readonly AnalysisDocument[];
  readonly working: boolean;
  /** Whether mitigation is offered: by the version of the command line and by the source. */
  readonly canMitigate: boolean;
}

/** What is counted; `top` is a number of vectors or a share, as on the command line: `10`, `5%`. */
export interface IntruderQuestion {
  readonly threshold: number;
  readonly top: string;
  /** Decomposes the base, after which thresholds answer from exact cosines. */
  readonly exact: boolean;
  /** Counts random and rotated updates beside, and what quantization alone does. */
  readonly controls: boolean;
}

/** What is rescaled: `keep` is the share that is left of each chosen vector. */
export interface Mitigation {
  readonly keep: number;
  readonly which: "top" | "all";
  /** What an intruder is, as for counting. */
  readonly threshold: number;
  readonly top: string;
}

export const intrudersPanel = {
  name: "intruders",
  subject: object<{ readonly source: AnalysisSource }>({ source: analysisSource }, {}),
  requests: {
    ...commonRequests,
    ...workRequests,
    load: answers<IntrudersView>().to(nothing),
    count: answers<null>().to(
      object<IntruderQuestion>({ threshold: real, top: text, exact: flag, controls: flag }, {}),
    ),
    /** Asks where the mitigated model goes, makes it and measures it. */
    mitigate: answers<null>().to(
      object<Mitigation>(
        { keep: real, which: oneOf("top", "all"), threshold: real, top: text },
        {},
      ),
    ),
  },
  events: workEvents,
} as const satisfies PanelContract;
