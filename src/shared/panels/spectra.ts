/** @file The spectra panel: figures of every matrix as a heat map, and the spectra of one. */
import type {
  AnalysisArray,
  AnalysisDocument,
  AnalysisSource,
  WorkEnd,
  WorkProgress,
} from "../analysis.ts";
import { analysisSource } from "../analysis.ts";
import { answers, nothing, tells } from "../channel.ts";
import { object, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";

export interface SpectraView {
  readonly source: AnalysisSource;
  /** What it is called, for the headline. */
  readonly label: string;
  /** Everything that `spectune spectra` has written for it; empty before the first time. */
  readonly documents: readonly AnalysisDocument[];
  /** A computation is under way. */
  readonly working: boolean;
}

export interface ArrayPlace {
  /** A document's own file, whose neighbour holds the tensor. */
  readonly file: string;
  readonly tensor: string;
}

export const spectraPanel = {
  name: "spectra",
  subject: object<{ readonly source: AnalysisSource }>({ source: analysisSource }, {}),
  requests: {
    ...commonRequests,
    load: answers<SpectraView>().to(nothing),
    array: answers<AnalysisArray>().to(object<ArrayPlace>({ file: text, tensor: text }, {})),
    /** Computes the spectra of all matrices whose name the regular expression finds; empty stands for all. */
    compute: answers<null>().to(object<{ readonly matrices: string }>({ matrices: text }, {})),
    cancel: answers<null>().to(nothing),
  },
  events: {
    progress: tells<WorkProgress>(),
    ended: tells<WorkEnd>(),
    /** There are other documents: load. */
    changed: tells<null>(),
  },
} as const satisfies PanelContract;
