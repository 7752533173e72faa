/** @file The spectra panel: figures of every matrix as a heat map, and the spectra of one. */
import type { AnalysisDocument, AnalysisSource } from "../analysis.ts";
import { analysisSource } from "../analysis.ts";
import { answers, nothing } from "../channel.ts";
import { object, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";
import { workEvents, workRequests } from "./work.ts";

export interface SpectraView {
  readonly source: AnalysisSource;
  /** What it is called, for the headline. */
  readonly label: string;
  /** Everything that `spectune spectra` has written for it; empty before the first time. */
  readonly documents: readonly AnalysisDocument[];
  /** A computation is under way. */
  readonly working: boolean;
}

export const spectraPanel = {
  name: "spectra",
  subject: object<{ readonly source: AnalysisSource }>({ source: analysisSource }, {}),
  requests: {
    ...commonRequests,
    ...workRequests,
    load: answers<SpectraView>().to(nothing),
    /** Computes the spectra of all matrices whose name the regular expression finds; empty stands for all. */
    compute: answers<null>().to(object<{ readonly matrices: string }>({ matrices: text }, {})),
  },
  events: workEvents,
} as const satisfies PanelContract;
