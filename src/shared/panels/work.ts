/** @file What the panels of analyses have in common: rows of their contracts for a command at work and for arrays beside its documents. */
import type { AnalysisArray, WorkEnd, WorkProgress } from "../analysis.ts";
import { answers, nothing, tells } from "../channel.ts";
import { object, text } from "../wire.ts";

export interface ArrayPlace {
  /** A document's own file, whose neighbour holds the tensor. */
  readonly file: string;
  readonly tensor: string;
}

/** Rows of `requests`, after the common ones. */
export const workRequests = {
  array: answers<AnalysisArray>().to(object<ArrayPlace>({ file: text, tensor: text }, {})),
  cancel: answers<null>().to(nothing),
} as const;

/** All `events` of such a panel. */
export const workEvents = {
  progress: tells<WorkProgress>(),
  ended: tells<WorkEnd>(),
  /** There are other documents: load. */
  changed: tells<null>(),
} as const;
